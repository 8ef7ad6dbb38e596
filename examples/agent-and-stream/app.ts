import { join } from 'node:path';
import { AgentStreamFunction, AgentStreamObservability } from 'agentcore-stream';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';

/** An agent and the URL that streams it, in one stack: one `cdk deploy` makes both. */
const stack = new Stack(new App(), 'AgentAndStream');

const runtime = new Runtime(stack, 'Helpdesk', {
  runtimeName: 'helpdesk',
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(import.meta.dirname, 'agent'), {
    // What AgentCore runs.
    platform: Platform.LINUX_ARM64,
  }),
});

const stream = new AgentStreamFunction(stack, 'Stream', {
  agents: [{ id: 'helpdesk', name: 'HelpdeskAgent', runtime }],
  serviceName: 'helpdesk',
});
new AgentStreamObservability(stack, 'StreamObserved', { stream });

new CfnOutput(stack, 'FunctionUrl', { value: stream.functionUrl.url });

import { AgentStreamDistribution, AgentStreamObservability, AgentStreamWebFunction } from 'agentcore-stream';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';

/**
 * One endpoint that serves in two regions, to which AWS leads each request by latency, behind one distribution. The agent
 * lives in one region, and so do its sessions: a caller elsewhere is served by the nearest region, which asks the agent.
 */
const stack = new Stack(new App(), 'Helpdesk', { env: { account: '111122223333', region: 'us-east-1' } });

const stream = new AgentStreamWebFunction(stack, 'Stream', {
  agents: [
    {
      id: 'helpdesk',
      name: 'HelpdeskAgent',
      runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Helpdesk-a1B2c3D4e5',
    },
  ],
  serviceName: 'helpdesk',
  replicaRegions: ['eu-west-1'],
});
new AgentStreamObservability(stack, 'StreamObserved', { stream });
const distribution = new AgentStreamDistribution(stack, 'Distribution', {
  host: stream.webFunction.endpoint,
  webAclArn:
    'arn:aws:wafv2:us-east-1:111122223333:global/webacl/helpdesk/0a1b2c3d-0000-1111-2222-333344445555',
});

new CfnOutput(stack, 'Url', { value: distribution.url });

import { Annotations, App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readContext, unknownKeys } from '../lib/context.ts';
import { stackOnHost } from '../lib/host-stack.ts';
import { DEFAULT_STAGE } from '../lib/stage.ts';
import { withStageFile } from '../lib/stage-file.ts';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
try {
  const context = withStageFile(app.node.getAllContext() as Record<string, unknown>);
  const deployment = readContext(context);
  const stack = stackOnHost(app, `AgentStream-${deployment.stage ?? DEFAULT_STAGE}`, {
    ...deployment,
    description: 'Streams Amazon Bedrock AgentCore agents to a browser',
  });
  for (const line of unknownKeys(context)) {
    Annotations.of(stack).addWarningV2('agentcore-stream:unknownContextKey', line);
  }
} catch (error) {
  // One line that says what to change. Left running, the CDK would write half an app.
  console.error(process.env.CDK_DEBUG ? error : `error: ${(error as Error).message}`);
  process.exit(1);
}

import { AgentStreamDistribution, AgentStreamFunction, AgentStreamObservability } from 'agentcore-stream';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';

/**
 * The same agent in two regions, each with a stream, a distribution, a dashboard and alarms of its own. The page takes the
 * region that answers first (nearest.ts) and stays with it, as a session lives in the region of its runtime.
 *
 * One latency record cannot stand for both: a Function URL answers to its own name only, and one domain belongs to one
 * distribution. A Web Function has a multi-region endpoint of its own, with the routing of AWS (docs/deployment.md).
 */
const RUNTIMES = {
  'us-east-1': 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Helpdesk-a1B2c3D4e5',
  'eu-west-1': 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Helpdesk-f6G7h8I9j0',
};

const app = new App();
for (const [region, runtimeArn] of Object.entries(RUNTIMES)) {
  const stack = new Stack(app, `Helpdesk-${region}`, { env: { account: '111122223333', region } });
  const stream = new AgentStreamFunction(stack, 'Stream', {
    agents: [{ id: 'helpdesk', name: 'HelpdeskAgent', runtimeArn }],
    serviceName: 'helpdesk',
    allowedOrigins: ['https://app.example.com'],
    reservedConcurrentExecutions: 50,
  });
  new AgentStreamObservability(stack, 'StreamObserved', { stream });
  const distribution = new AgentStreamDistribution(stack, 'Distribution', {
    host: stream.functionUrl,
    webAclArn:
      'arn:aws:wafv2:us-east-1:111122223333:global/webacl/helpdesk/0a1b2c3d-0000-1111-2222-333344445555',
  });
  new CfnOutput(stack, 'Url', { value: distribution.url });
}

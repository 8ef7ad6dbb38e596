import { join } from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { ApplicationLoadBalancedFargateService } from 'aws-cdk-lib/aws-ecs-patterns';
import { ApplicationProtocol } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { parseAgents } from '../../lambda/agents.ts';
import { ENV, METRIC_NAMESPACE, SERVICE_NAME } from '../../lambda/contract.ts';
import { SERVER_ENV, SERVER_SETTINGS } from '../../lambda/hosts/server-config.ts';
import { grantInvokeAgent } from '../../lib/runtime-access.ts';

/** The server of docs/hosts.md on Fargate, behind a load balancer that leaves long answers alone. */

/** Longer than any pause in an answer; with SSE a comment comes every 15 s anyway. */
const IDLE_TIMEOUT = Duration.minutes(15);
/** Streams of one task before another is started: half of what it takes. */
const STREAMS_PER_TASK = 500;
/** Most that ECS gives a task that ends: answers go on for so long. */
const STOP_TIMEOUT = Duration.minutes(2);

const app = new App();
const stack = new Stack(app, 'AgentStreamFargate');
const agents = parseAgents(JSON.parse(process.env[ENV.AGENTS] ?? 'null'));

const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Task', {
  cpu: 1024,
  memoryLimitMiB: 2048,
  runtimePlatform: { cpuArchitecture: ecs.CpuArchitecture.ARM64 },
});
const container = taskDefinition.addContainer('server', {
  image: ecs.ContainerImage.fromAsset(join(import.meta.dirname, '../..')),
  portMappings: [{ containerPort: 8080 }],
  readonlyRootFilesystem: true,
  stopTimeout: STOP_TIMEOUT,
  // Two descriptors a stream.
  ulimits: [{ name: ecs.UlimitName.NOFILE, softLimit: 65_536, hardLimit: 65_536 }],
  // CloudWatch Logs finds the metrics in the log.
  logging: ecs.LogDrivers.awsLogs({ streamPrefix: 'server', mode: ecs.AwsLogDriverMode.NON_BLOCKING }),
  environment: {
    [ENV.AGENTS]: JSON.stringify(agents),
    [SERVER_ENV.ALLOWED_ORIGINS]: process.env[SERVER_ENV.ALLOWED_ORIGINS] ?? '',
    [SERVER_SETTINGS.maxStreams.variable]: String(2 * STREAMS_PER_TASK),
    // The load balancer must be the one that closes an idle connection, or it sends a request into a closed one.
    [SERVER_SETTINGS.keepAliveTimeout.variable]: String(
      IDLE_TIMEOUT.plus(Duration.minutes(1)).toMilliseconds(),
    ),
    [SERVER_SETTINGS.shutdownGrace.variable]: String(
      STOP_TIMEOUT.minus(Duration.seconds(10)).toMilliseconds(),
    ),
  },
});
for (const agent of agents) grantInvokeAgent(taskDefinition.taskRole, agent);

const { service, loadBalancer, targetGroup } = new ApplicationLoadBalancedFargateService(stack, 'Service', {
  taskDefinition,
  // Public as it stands: put a certificate, authentication or a private network in front of it (docs/hosts.md).
  protocol: ApplicationProtocol.HTTP,
  desiredCount: 2,
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
  idleTimeout: IDLE_TIMEOUT,
});
targetGroup.configureHealthCheck({ path: '/health', interval: Duration.seconds(10) });
// A task that is to end gets no new requests, and keeps the open ones.
targetGroup.setAttribute('deregistration_delay.timeout_seconds', String(STOP_TIMEOUT.toSeconds()));

const scaling = service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 20 });
// Each task tells once a minute how many streams it has open.
scaling.scaleToTrackCustomMetric('Streams', {
  metric: new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: 'StreamsOpen',
    dimensionsMap: { service: SERVICE_NAME },
    statistic: Stats.AVERAGE,
    period: Duration.minutes(1),
  }),
  targetValue: STREAMS_PER_TASK,
});

new CfnOutput(stack, 'Url', { value: `http://${loadBalancer.loadBalancerDnsName}` });
new CfnOutput(stack, 'Container', { value: container.containerName });

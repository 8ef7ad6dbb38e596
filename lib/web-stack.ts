import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { FunctionUrlAuthType, WebFunctionAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { importExisting } from './existing.ts';
import type { AgentStreamObservability } from './observability.ts';
import { acknowledgeChoices, acknowledgeCodeBucket } from './stack-compliance.ts';
import { distributionOf, outputDistribution } from './stack-distribution.ts';
import { observe } from './stack-observability.ts';
import { isProduction } from './stage.ts';
import { projectVersion } from './version.ts';
import { AgentStreamWebFunction } from './web-function.ts';

export interface AgentStreamWebStackProps extends StackProps, Deployment {}

/** The props that a Web Function does not support, each with what to do instead. */
const UNSUPPORTED: Partial<Record<keyof Deployment, string>> = {
  reservedConcurrentExecutions: 'a Web Function has no reserved concurrency: give maxEnvironments',
  provisionedConcurrentExecutions:
    'a Web Function has no provisioned concurrency; its environments live on between requests',
  memorySize: 'a Web Function always has 2 GB and 2 vCPU: leave it out',
  deployment:
    'CodeDeploy does not know Web Functions: leave it out, and run the smoke check after a deployment',
  formerUrl: 'a Web Function has no former Function URL: leave it out',
  vpc: 'not supported: leave it out, AgentCore is reached over TLS and IAM',
};

/** @throws Error naming a prop that a Web Function does not support, and what to do instead */
export function checkSupported(deployment: Deployment): void {
  for (const [name, reason] of Object.entries(UNSUPPORTED)) {
    const value = deployment[name as keyof Deployment];
    if (value === undefined || value === false) continue;
    throw new Error(`${name} with host=web: ${reason}`);
  }
}

/** The service as a Lambda Web Function, with its dashboard and alarms. */
export class AgentStreamWebStack extends Stack {
  readonly stream: AgentStreamWebFunction;
  readonly observability: AgentStreamObservability;

  constructor(scope: Construct, id: string, props: AgentStreamWebStackProps) {
    const production = isProduction(props.stage);
    super(scope, id, { ...props, terminationProtection: props.terminationProtection ?? production });
    checkSupported(props);
    const { authType } = props;
    const existing = importExisting(this, props);
    this.stream = new AgentStreamWebFunction(this, 'Stream', {
      logRetention: production ? RetentionDays.ONE_YEAR : RetentionDays.TWO_WEEKS,
      sessionRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      logRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...existing,
      ...withoutFunctionProps(props),
      authType:
        authType === FunctionUrlAuthType.NONE
          ? WebFunctionAuthType.APPLICATION_MANAGED
          : WebFunctionAuthType.IAM_AUTH,
    });
    const version = projectVersion();
    const { stream } = this;
    const { observability, topics } = observe(this, { stream, deployment: props, existing, version });
    this.observability = observability;
    acknowledgeCodeBucket(this);
    acknowledgeChoices({ logging: [stream.logGroup], topics }, props);
    const distribution = distributionOf(this, this.stream.webFunction.endpoint, props);
    if (distribution) outputDistribution(this, distribution);
    this.#output('EndpointUrl', this.stream.url, 'Where callers send their POST, signed unless auth=none');
    this.#output('FunctionName', this.stream.webFunction.webFunctionName, 'For the AWS CLI');
    this.#output(
      'EndpointArn',
      this.stream.webFunction.endpoint.endpointArn,
      'For the policy of callers that sign',
    );
    this.#output('LogGroup', this.stream.logGroup.logGroupName, 'For Logs Insights');
    this.#output('DashboardUrl', observability.dashboardUrl, 'The dashboard, which on-call opens first');
    this.#output('Version', version, 'The deployed version and commit');
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}

/** Leaves out `code`, which is the code of a function and not of a Web Function. */
function withoutFunctionProps({ code: _code, ...props }: AgentStreamWebStackProps) {
  return props;
}

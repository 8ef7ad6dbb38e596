import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { BUNDLE_HANDLER, bundleSync, RELEASE_CHECK_FOLDER } from './bundle.ts';
import { acknowledge } from './compliance.ts';
import { LIVE_ALIAS } from './live-alias.ts';
import { acknowledgeTracing } from './runtime-access.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

export interface ReleaseCheckProps {
  readonly stream: AgentStreamFunction;
  /** @default - the bundle of this project, built now */
  readonly code?: lambda.Code;
}

/** The function that checks a release through the Function URL, as a caller does. CodeDeploy waits for its result. */
export class ReleaseCheck extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { stream, code }: ReleaseCheckProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(stream.encryptionKey && { encryptionKey: stream.encryptionKey }),
    });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Checks a release as a caller of the Function URL',
    });
    logGroup.grantWrite(role);
    this.#letCall(role, stream);
    acknowledgeTracing(role);
    acknowledge(role, 'IAMNoInlinePolicy');

    this.function = new lambda.Function(this, 'Function', {
      description: 'Checks a release of the function that streams AgentCore agents',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: code ?? lambda.Code.fromAsset(bundleSync(RELEASE_CHECK_FOLDER)),
      handler: BUNDLE_HANDLER,
      role,
      memorySize: 256,
      timeout: Duration.minutes(15),
      environment: {
        RELEASED_FUNCTION: stream.function.functionName,
        RELEASED_ALIAS: LIVE_ALIAS,
        URL_SUFFIX: Aws.URL_SUFFIX,
      },
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(stream.encryptionKey && { environmentEncryption: stream.encryptionKey }),
    });
    acknowledge(this.function, 'LambdaDLQ', 'LambdaInsideVPC', 'LambdaConcurrency');
  }

  /**
   * Lets the role call the Function URL of the alias. The alias is given by its name: a reference would make this
   * function wait for the alias, which waits for this function.
   */
  #letCall(role: iam.IGrantable, { function: { functionArn } }: AgentStreamFunction): void {
    const alias = `${functionArn}:${LIVE_ALIAS}`;
    const allow = (
      actions: string[],
      resourceArns: string[],
      options: Partial<iam.GrantOnPrincipalOptions> = {},
    ) => iam.Grant.addToPrincipal({ grantee: role, actions, resourceArns, ...options });
    allow(['lambda:GetFunctionUrlConfig'], [functionArn, alias]);
    allow(['lambda:InvokeFunctionUrl'], [alias]);
    allow(['lambda:InvokeFunction'], [alias], {
      conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': true } },
    });
  }
}

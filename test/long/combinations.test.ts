import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { App, CfnResource, Validations } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import {
  AwsSolutionsChecks,
  HIPAASecurityChecks,
  type NagPack,
  NIST80053R4Checks,
  NIST80053R5Checks,
  PCIDSS321Checks,
  ServerlessChecks,
} from 'cdk-nag';
import { readContext } from '../../lib/context.ts';
import { stackOnHost } from '../../lib/host-stack.ts';
import { pairwise } from '../fixtures/pairwise.ts';
import { code, ourApp, runtimeArn } from '../infra/support.ts';

type Context = Record<string, unknown>;

const agent = (id: string, more: object = {}) => ({ id, name: id, runtimeArn: runtimeArn(id), ...more });

/** Each choice of a deployment with what else it needs. */
const DIMENSIONS: readonly (readonly Context[])[] = [
  [{ auth: 'iam' }, { auth: 'none', allowedOrigins: '*', reservedConcurrency: 50 }],
  [
    { onboardingAgentArn: runtimeArn('OnboardingAgent') },
    { agents: [agent('a'), agent('b', { transport: 'http', runtimeArn: 'ssm:/agents/b' })] },
  ],
  [{ stage: 'dev' }, { stage: 'prod', alarmEmail: 'oncall@example.com' }],
  [{}, { deployment: 'canary' }, { deployment: 'linear', provisionedConcurrency: 2 }],
  [
    {},
    { distribution: 'on', reservedConcurrency: 50 },
    {
      distribution: 'on',
      domainName: 'app.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d-0000-1111-2222-333344445555',
      webAclArn:
        'arn:aws:wafv2:us-east-1:111122223333:global/webacl/mine/0a1b2c3d-0000-1111-2222-333344445555',
      pageBucketName: 'my-page',
    },
  ],
  [{}, { kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-1111-2222-333344445555' }],
  [
    {},
    {
      roleArn: 'arn:aws:iam::111122223333:role/stream',
      logGroupName: '/team/streams',
      alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:alarms',
    },
  ],
  [{}, { sessions: 'dynamodb' }],
  [{}, { formerUrl: 'on', stackStatusPrefix: 'demo-', tags: { team: 'platform' } }],
  [{}, { probe: 'rate(5 minutes)', stackStatusPrefix: '*' }],
];

/** The same of a Web Function, which takes fewer choices. */
const WEB_DIMENSIONS: readonly (readonly Context[])[] = [
  [{ auth: 'iam' }, { auth: 'none', allowedOrigins: '*', maxEnvironments: 4 }],
  [{}, { distribution: 'on', maxEnvironments: 4 }, { replicaRegions: 'eu-west-1' }],
  [{ stage: 'dev' }, { stage: 'prod', alarmEmail: 'oncall@example.com' }],
  ...DIMENSIONS.slice(5, -1),
];

const together = (dimensions: readonly (readonly Context[])[]) =>
  pairwise(dimensions, (choices) => {
    const { auth, distribution }: Context = Object.assign({}, ...choices);
    return auth === 'iam' || distribution === undefined;
  }).map((choices) => Object.assign({}, ...choices) as Context);

const ONLY_A_FUNCTION = ['formerUrl'];
const contexts = [
  ...together(DIMENSIONS),
  ...together(WEB_DIMENSIONS).map((context): Context => {
    const kept = Object.entries(context).filter(([key]) => !ONLY_A_FUNCTION.includes(key));
    return { host: 'web', onboardingAgentArn: runtimeArn('OnboardingAgent'), ...Object.fromEntries(kept) };
  }),
];

const PACKS: readonly [name: string, Pack: new () => NagPack][] = [
  ['AwsSolutions', AwsSolutionsChecks],
  ['NIST 800-53 revision 5', NIST80053R5Checks],
  ['HIPAA', HIPAASecurityChecks],
  ['NIST 800-53 revision 4', NIST80053R4Checks],
  ['PCI DSS', PCIDSS321Checks],
  ['Serverless', ServerlessChecks],
];

let outdir: string;
beforeAll(() => {
  outdir = mkdtempSync(join(tmpdir(), 'combinations-'));
  delete process.env.CDK_VALIDATION;
});
beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => {
  process.env.CDK_VALIDATION = 'false';
  rmSync(outdir, { recursive: true });
});

/** One app with a stack of each context. */
function appOf(every: readonly Context[]): App {
  const app = new App({ outdir, context: ourApp().node.getAllContext() as Context });
  for (const [index, context] of every.entries()) {
    stackOnHost(app, `Stack${index}`, {
      ...readContext(context),
      serviceName: `service-${index}`,
      ...(context.host !== 'web' && { code: code() }),
      env: { account: '111122223333', region: 'us-east-1' },
    });
  }
  return app;
}

interface Report {
  pluginReports: {
    pluginName: string;
    violations: { ruleName: string; severity: string; description: string }[];
  }[];
}

/** What CloudFormation’s schemas say of the templates of an app. */
function schemaFindings(app: App): string[] {
  try {
    app.synth();
  } catch {
    // The report says why.
  }
  const { pluginReports } = JSON.parse(
    readFileSync(join(outdir, 'validation-report.json'), 'utf8'),
  ) as Report;
  return pluginReports
    .filter(({ pluginName }) => /cloudformation/i.test(pluginName))
    .flatMap(({ violations }) =>
      violations.map(({ ruleName, description }) => `${ruleName}: ${description}`),
    );
}

interface Finding {
  readonly rule: string;
  readonly path: string;
}

/** What a pack says of the resources of an app. */
function nagFindings(app: App, Pack: new () => NagPack): Finding[] {
  return new Pack()
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => ({ rule: ruleName, path: constructPath })),
    );
}

describe('every pair of choices', () => {
  let app: App;
  beforeAll(() => {
    app = appOf(contexts);
  });

  test('has a template that CloudFormation’s schemas take', () => {
    expect(contexts.length).toBeGreaterThan(5);

    expect(schemaFindings(app)).toEqual([]);
  }, 600_000);

  test.each(PACKS)('has no finding of cdk-nag, %s, that is not acknowledged', (_name, Pack) => {
    const findings = nagFindings(app, Pack).map(({ rule, path }) => {
      const [, index, resource] = /^Stack(\d+)\/(.*)$/.exec(path) ?? [];
      return `${rule} at ${resource} of ${JSON.stringify(contexts[Number(index)])}`;
    });

    expect(findings).toEqual([]);
  });

  test('acknowledges what there is to find, with a reason, and nothing else', () => {
    // What exists already has no resource in which something could be found.
    const made = app.node.findAll().filter(({ node }) => node.findAll().some(CfnResource.isCfnResource));
    const acknowledged = made.flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .flatMap(({ data }) => Object.entries(data as Record<string, string>))
        .map(([id, reason]) => ({ path: node.path, rule: id.replace(/^annotation::/i, ''), reason })),
    );
    jest.spyOn(Validations.prototype, 'acknowledge').mockImplementation(() => {});
    const bare = appOf(contexts);
    const found = PACKS.flatMap(([, Pack]) => nagFindings(bare, Pack));

    expect(acknowledged.length).toBeGreaterThan(50);
    for (const { reason } of acknowledged) expect(reason.length).toBeGreaterThan(40);
    // Of the packs that may have a rule, it is enough that one does.
    const ofAnyPack = (rule: string) => rule.replace(/^(?!AwsSolutions)[^-]*-/, '');
    const needless = acknowledged.filter(
      ({ path, rule }) =>
        !found.some((one) => one.path.startsWith(`${path}/`) && ofAnyPack(one.rule) === ofAnyPack(rule)),
    );
    expect([...new Set(needless.map(({ path, rule }) => `${path} ${ofAnyPack(rule)}`))]).toEqual([]);
  });
});

test('a template that they do not take would be found', () => {
  const app = appOf(contexts.slice(0, 1));
  const fn = app.node.findAll().find((construct) => construct instanceof CfnFunction);
  fn?.addPropertyOverride('MemorySize', 'much');

  expect(schemaFindings(app).join()).toMatch(/MemorySize/i);
}, 120_000);

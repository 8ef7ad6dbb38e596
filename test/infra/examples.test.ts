import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { nearest } from '../../examples/multi-region/nearest.ts';
import { readServerConfig } from '../../lambda/hosts/server-config.ts';
import { readContext } from '../../lib/context.ts';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';
import { schemaProblems, unknownTypes } from '../fixtures/service-spec.ts';
import { runtimeArn } from './support.ts';

const root = join(import.meta.dirname, '../..');

/** Starting Node, the CDK and esbuild takes seconds, on a busy machine many. */
const LIMIT_MS = 120_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'example-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/**
 * Runs an example as the CLI does, without credentials; returns its templates by stack. CloudFormation's schemas are
 * asked here, as the CDK takes five seconds for it in each process.
 */
function synthesize(example: string, stacks: readonly string[], env: Record<string, string> = {}) {
  const cwd = join(root, 'examples', example);
  const { app } = JSON.parse(readFileSync(join(cwd, 'cdk.json'), 'utf8')) as { app: string };
  const [, ...args] = app.split(' ');
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      CDK_OUTDIR: folder,
      CDK_VALIDATION: 'false',
      ...COMPILE_CACHE,
      ...env,
    },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const templates = stacks.map(
    (stack) => JSON.parse(readFileSync(join(folder, `${stack}.template.json`), 'utf8')) as Template,
  );
  expect(templates.flatMap(schemaProblems)).toEqual([]);
  return templates;
}

const ofType = ({ Resources }: Template, type: string) =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);

test(
  'an agent and its stream come from one app, and the function knows the runtime that is made beside it',
  () => {
    const [template] = synthesize('agent-and-stream', ['AgentAndStream']) as [Template];

    const [runtime = ''] = ofType(template, 'AWS::BedrockAgentCore::Runtime').map(([id]) => id);
    const told = ofType(template, 'AWS::Lambda::Function').map(([, fn]) => JSON.stringify(fn));
    expect(told.join()).toContain(`{"Fn::GetAtt":["${runtime}","AgentRuntimeArn"]}`);
    expect(ofType(template, 'AWS::Lambda::Url')).toHaveLength(1);
  },
  LIMIT_MS,
);

test('the example’s agent is that of docs/agents.md', () => {
  const page = readFileSync(join(root, 'docs/agents.md'), 'utf8');
  const agent = readFileSync(join(root, 'examples/agent-and-stream/agent/my_agent.py'), 'utf8');

  expect(page).toContain(`\`\`\`python\n${agent}\`\`\``);
});

test(
  'two regions come from one app, each whole and with the agent of its own region',
  () => {
    const regions = ['us-east-1', 'eu-west-1'];

    const templates = synthesize(
      'multi-region',
      regions.map((region) => `Helpdesk-${region}`),
    );

    for (const [index, template] of templates.entries()) {
      expect(ofType(template, 'AWS::Lambda::Url')).toHaveLength(1);
      expect(ofType(template, 'AWS::CloudFront::Distribution')).toHaveLength(1);
      expect(ofType(template, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
      const told = JSON.stringify(ofType(template, 'AWS::Lambda::Function'));
      expect(told).toContain(`bedrock-agentcore:${regions[index]}:`);
    }
  },
  LIMIT_MS,
);

test(
  'one endpoint serves in two regions, behind one distribution',
  () => {
    const [template] = synthesize('multi-region-endpoint', ['Helpdesk']) as [Template];

    const [endpoint] = ofType(template, 'AWS::Lambda::WebFunctionEndpoint');
    expect(endpoint?.[1].Properties).toMatchObject({ EndpointType: 'MultiRegion' });
    expect(JSON.stringify(ofType(template, 'AWS::CloudFront::OriginAccessControl'))).toContain('sigv4a');
  },
  LIMIT_MS,
);

describe('the nearest region', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** A region that answers /health with a status, or never. */
  async function region(status: number | undefined): Promise<string> {
    const server = createServer((_request, response) => {
      if (status !== undefined) response.writeHead(status).end('{}');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('is the one that answers, not one that is silent or ill', async () => {
    const [silent, ill, well] = [await region(undefined), await region(503), await region(200)];

    expect(await nearest([silent, ill, well])).toBe(well);
  });

  test('is none where all are ill, and the error says so of each', async () => {
    const [one, other] = [await region(503), await region(500)];

    const error = (await nearest([one, other]).catch((thrown: unknown) => thrown)) as AggregateError;

    expect(error.errors.map(String)).toEqual([`Error: ${one} answered 503`, `Error: ${other} answered 500`]);
  });

  test('is none where all are silent for too long', async () => {
    await expect(nearest([await region(undefined)], 50)).rejects.toThrow(AggregateError);
  });
});

describe('the workflows', () => {
  const workflow = (file: string) => readFileSync(join(root, 'examples/github-actions', file), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };

  test.each(['check.yml', 'deploy.yml'])('%s is one that GitHub takes', (file) => {
    const { actionType, errors } = validateWorkflow(workflow(file));

    expect(errors).toEqual([]);
    expect(actionType).toBe('workflow');
  });

  test('the validator would find something', () => {
    const broken = workflow('deploy.yml').replace('runs-on:', 'run-on:');

    expect(validateWorkflow(broken).errors.length).toBeGreaterThan(0);
  });

  test.each(['check.yml', 'deploy.yml'])(
    '%s runs scripts that there are, with context that is read',
    (file) => {
      const commands = [...workflow(file).matchAll(/npm run (\S+)(.*)/g)];

      expect(commands.length).toBeGreaterThan(1);
      for (const [, script = '', rest = ''] of commands) {
        expect(scripts).toHaveProperty([script]);
        const context = Object.fromEntries(
          [...rest.matchAll(/-c (\w+)=(\S+)/g)].map(([, key, value]) => [key, value]),
        );
        expect(() =>
          readContext({ ...context, onboardingAgentArn: runtimeArn('OnboardingAgent') }),
        ).not.toThrow();
      }
    },
  );

  test.each(['check.yml', 'deploy.yml'])('%s has rights by OpenID Connect, and stores no key', (file) => {
    expect(workflow(file)).toMatch(/id-token: write/);
    expect(workflow(file)).not.toMatch(/secrets\.|aws-access-key-id/);
  });
});

test(
  'the server on Fargate keeps long answers, ends in order and scales on streams',
  () => {
    const agents = [{ id: 'mwc', name: 'MWCAgent', runtimeArn: runtimeArn('MWCAgent') }];
    const [template] = synthesize('fargate', ['AgentStreamFargate'], {
      AGENTS: JSON.stringify(agents),
    }) as [Template];
    const only = (type: string) => ofType(template, type).map(([, { Properties }]) => Properties)[0] ?? {};
    const [container] = only('AWS::ECS::TaskDefinition').ContainerDefinitions as Record<string, unknown>[];
    const environment = Object.fromEntries(
      ((container?.Environment ?? []) as { Name: string; Value: string }[]).map(({ Name, Value }) => [
        Name,
        Value,
      ]),
    );
    const attributes = (type: string, key: string) =>
      Object.fromEntries(
        (only(type)[key] as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
      );
    const idleSeconds = attributes('AWS::ElasticLoadBalancingV2::LoadBalancer', 'LoadBalancerAttributes')[
      'idle_timeout.timeout_seconds'
    ];

    expect(unknownTypes(template)).toEqual([]);
    expect(container).toMatchObject({ ReadonlyRootFilesystem: true, StopTimeout: 120 });
    const { keepAliveTimeoutMs, shutdownGraceMs } = readServerConfig(environment);
    expect(keepAliveTimeoutMs).toBeGreaterThan(Number(idleSeconds) * 1000);
    expect(shutdownGraceMs).toBeLessThan(120_000);
    expect(JSON.stringify(only('AWS::ApplicationAutoScaling::ScalingPolicy'))).toContain('StreamsOpen');
    expect(JSON.stringify(ofType(template, 'AWS::IAM::Policy'))).toContain(
      'bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream',
    );
  },
  LIMIT_MS,
);

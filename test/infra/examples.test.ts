import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** Runs an example as the CLI does, without credentials; returns its templates by stack. */
function synthesize(example: string, stacks: readonly string[], env: Record<string, string> = {}) {
  const cwd = join(root, 'examples', example);
  const { app } = JSON.parse(readFileSync(join(cwd, 'cdk.json'), 'utf8')) as { app: string };
  const [, ...args] = app.split(' ');
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, CDK_OUTDIR: folder, ...env },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stacks.map(
    (stack) => JSON.parse(readFileSync(join(folder, `${stack}.template.json`), 'utf8')) as Template,
  );
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

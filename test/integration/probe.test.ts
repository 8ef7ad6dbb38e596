import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROBE_FOLDER } from '../../lib/bundle.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { LOCAL_CREDENTIALS, type System, startSystem } from '../../local/system.ts';

type Line = Record<string, unknown>;

interface Run {
  code: number | null;
  lines: Line[];
  /** By agent, what was counted. */
  failures: Record<string, unknown>;
}

const AGENTS = ['onboarding', 'provisioning'];
const arnOf = (id: string) => system.agents.find((agent) => agent.id === id)?.runtimeArn ?? '';

let system: System;
beforeAll(async () => {
  system = await startSystem({
    agents: { tokenDelayMs: 8, only: ['onboarding', 'provisioning'] },
    environment: { MAX_RETRIES: '0' },
  });
});
afterAll(() => system.close());

/** Runs the bundle that is deployed. */
function runProbe(url: string): Promise<Run> {
  const bundle = pathToFileURL(join(PROBE_FOLDER, 'index.mjs')).href;
  const program = `import { handler } from ${JSON.stringify(bundle)}; await handler();`;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', program],
      {
        env: {
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
          AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
          PROBED_URL: url,
          PROBED_URL_IS_PUBLIC: 'true',
          PROBED_AGENTS: JSON.stringify(AGENTS),
          PROBED_SERVICE: 'agentcore-stream-prod',
          PROBE_PAUSE_MS: '50',
        },
      },
      (_error, stdout, stderr) => {
        const lines = (stdout + stderr)
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as Line);
        const counted = lines.filter((line) => '_aws' in line);
        resolve({
          code: child.exitCode,
          lines,
          failures: Object.fromEntries(counted.map((line) => [line.agent, line.ProbeFailures])),
        });
      },
    );
  });
}

const said = ({ lines }: Run) =>
  lines
    .filter((line) => !('_aws' in line))
    .map(({ message, agent, attempt }) => `${agent} ${attempt} ${message}`)
    .sort();

describe('the probe', () => {
  test('counts every agent, and none as failed, where each answers chunk by chunk', async () => {
    const run = await runProbe(system.url);

    expect(run.failures).toEqual({ onboarding: 0, provisioning: 0 });
    expect(said(run)).toEqual(['onboarding 1 Probe passed', 'provisioning 1 Probe passed']);
    expect(run.code).toBe(0);
    const metric = run.lines.find((line) => '_aws' in line);
    expect(metric).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'AgentCoreStream',
            Dimensions: [['service', 'agent']],
            Metrics: [{ Name: 'ProbeFailures', Unit: 'Count' }],
          },
        ],
      },
      service: 'agentcore-stream-prod',
    });
  });

  test('asks again, so that one failure is none', async () => {
    system.dataPlane.fault(arnOf('onboarding'), FAULTS.refuse(503), 1);

    const run = await runProbe(system.url);

    expect(run.failures).toEqual({ onboarding: 0, provisioning: 0 });
    expect(said(run)).toContain('onboarding 1 Probe failed');
    expect(said(run)).toContain('onboarding 2 Probe passed');
  });

  test('counts an agent that fails twice, alone, and says nothing of what it said', async () => {
    system.dataPlane.fault(arnOf('provisioning'), FAULTS.refuse(424, 'RuntimeClientError', 'canary-4711'));

    const run = await runProbe(system.url);
    system.dataPlane.fault(arnOf('provisioning'), undefined);

    expect(run.failures).toEqual({ onboarding: 0, provisioning: 1 });
    expect(said(run)).toContain('provisioning 2 Probe failed');
    expect(JSON.stringify(run.lines)).not.toContain('canary-4711');
  });

  test('counts every agent where the function does not answer at all', async () => {
    const run = await runProbe('http://127.0.0.1:9');

    expect(run.failures).toEqual({ onboarding: 1, provisioning: 1 });
    expect(run.code).toBe(0);
  });
});

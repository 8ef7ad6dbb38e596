import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readContext } from '../../lib/context.ts';
import { runtimeArn, stackOf } from './support.ts';

const ARNS = {
  onboardingAgentArn: runtimeArn('OnboardingAgent'),
  provisioningAgentArn: runtimeArn('ProvisioningAgent'),
  mwcAgentArn: runtimeArn('MWCAgent'),
};

test('can be recovered from the deployed function, as the runbook says', () => {
  const environmentOf = (context: Record<string, unknown>) => {
    const template = stackOf(readContext(context)).template();
    const [fn] = Object.values(template.findResources('AWS::Lambda::Function'));
    return fn?.Properties.Environment.Variables as Record<string, string>;
  };
  const deployed = environmentOf({
    ...ARNS,
    mwcAgentTransport: 'http',
    stage: 'staging',
    serviceName: 'helpdesk',
    stackStatusPrefix: 'demo-',
    endpointUrl: 'https://vpce-1.example.com',
    limits: { HANDSHAKE_TIMEOUT_MS: 90_000, MAX_RETRIES: 0 },
  });

  const { AGENTS, STAGE, POWERTOOLS_SERVICE_NAME, STACK_STATUS_PREFIX, ...others } = deployed;
  const { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, ...limits } = others;
  const recovered = environmentOf({
    agents: AGENTS,
    stage: STAGE,
    serviceName: POWERTOOLS_SERVICE_NAME,
    stackStatusPrefix: STACK_STATUS_PREFIX,
    endpointUrl: AWS_ENDPOINT_URL_BEDROCK_AGENTCORE,
    limits: Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, Number(value)])),
  });

  expect(recovered).toEqual(deployed);
});

test('has alarms that say the rest, under the names that the runbook asks for', () => {
  const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  const prefixes = [...runbook.matchAll(/--alarm-name-prefix "\$STACK-(\w+)-?"/g)].map(([, name]) => name);
  const { template } = stackOf(
    readContext({
      ...ARNS,
      slowFirstChunkMs: 7000,
      alarmEmail: 'a@example.com',
      runbookUrl: 'https://w.example',
    }),
  );
  // CloudFormation names an alarm <stack>-<logical id>-<random>; the composite has a name from here.
  const limits = Object.entries(template().findResources('AWS::CloudWatch::Alarm'))
    .filter(([id]) => id.startsWith(prefixes[0] ?? ''))
    .map(([, { Properties }]) => Number(/ took over (\d+) ms/.exec(Properties.AlarmDescription)?.[1]));
  const [composite] = Object.values(template().findResources('AWS::CloudWatch::CompositeAlarm'));
  const [topic = ''] = Object.keys(template().findResources('AWS::SNS::Topic'));

  expect(prefixes).toEqual(['ObservabilitySlow', 'UsersAreAffected']);
  expect(limits.toSorted((a, b) => a - b)).toEqual([5000, 7000, 7000, 7000, 10_000]);
  expect(composite?.Properties).toMatchObject({
    AlarmName: expect.stringMatching(/^AgentStream-UsersAreAffected-/),
    AlarmActions: [{ Ref: topic }],
    AlarmDescription: expect.stringMatching(/ Runbook: https:\/\/w\.example#users-are-affected$/),
  });
  expect(topic).toMatch(/^AlarmTopic/);
  expect(runbook).toContain('`$STACK-AlarmTopic`');
});

import { jest } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { readContext } from '../../lib/context.ts';
import { stackOnHost } from '../../lib/host-stack.ts';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { AgentStreamProbe } from '../../lib/probe.ts';
import { CloudWatch } from '../drill/cloudwatch.ts';
import { seriesKey } from '../drill/metric-store.ts';
import { code, functionIn, ourApp, runtimeArn, statements, THREE_AGENTS } from './support.ts';

const MINUTE_MS = 60_000;

/** A function with a probe that is watched. */
function probed(every = Duration.minutes(5), props: Parameters<typeof functionIn>[0] = {}) {
  const { stack, subject: stream } = functionIn({ agents: THREE_AGENTS, ...props });
  const probe = new AgentStreamProbe(stack, 'Probe', { stream, every, code: code() });
  new AgentStreamObservability(stack, 'Observability', {
    stream,
    probe,
    alarmActions: [{ bind: () => ({ alarmActionArn: 'arn:aws:sns:us-east-1:111122223333:alarms' }) }],
  });
  return { stack, stream, probe, template: Template.fromStack(stack) };
}

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the probe', () => {
  test('runs as often as it is told, and is not run again before that', () => {
    const { template } = probed();

    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(5 minutes)',
      Target: Match.objectLike({ RetryPolicy: { MaximumRetryAttempts: 0 } }),
    });
  });

  test('knows the URL, how it is called and every agent', () => {
    const { template, stack, stream } = probed();

    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          PROBED_URL: stack.resolve(stream.functionUrl.url),
          PROBED_URL_IS_PUBLIC: 'false',
          PROBED_AGENTS: '["onboarding","provisioning","mwc"]',
          PROBED_SERVICE: 'agentcore-stream',
          PROBE_PAUSE_MS: '10000',
        },
      },
    });
    const open = probed(Duration.minutes(5), {
      authType: FunctionUrlAuthType.NONE,
      allowedOrigins: ['*'],
      reservedConcurrentExecutions: 1,
    });
    open.template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ PROBED_URL_IS_PUBLIC: 'true' }) },
    });
  });

  test('may call the URL, and no agent', () => {
    const { template } = probed();
    const ofProbe = Object.entries(template.findResources('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith('ProbeRole'))
      .flatMap(
        ([, { Properties }]) => Properties.PolicyDocument.Statement as { Action: string | string[] }[],
      );

    const actions = ofProbe.flatMap(({ Action }) => Action);
    expect(actions).toEqual(expect.arrayContaining(['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction']));
    expect(actions.filter((action) => action.startsWith('bedrock'))).toEqual([]);
    expect(statements(template).length).toBeGreaterThan(ofProbe.length);
  });

  test.each([[30], [90], [3660]])('refuses to run every %i s', (seconds) => {
    expect(() => probed(Duration.seconds(seconds))).toThrow(
      `probe: expected whole minutes from 1 to 60, got ${seconds / 60} minutes`,
    );
  });
});

describe('an agent that does not answer the probe', () => {
  /** Runs of the probe every five minutes, which find these agents failing from the tenth minute on. */
  const told = (failing: readonly string[]) => {
    const watch = new CloudWatch(probed().template);
    for (let minute = 0; minute < 60; minute += 5) {
      for (const { id } of THREE_AGENTS) {
        const dimensions = [
          { Name: 'service', Value: 'agentcore-stream' },
          { Name: 'agent', Value: id },
        ];
        const series = seriesKey('AgentCoreStream', 'ProbeFailures', dimensions);
        watch.store.add({ series, value: minute >= 10 && failing.includes(id) ? 1 : 0 }, minute * MINUTE_MS);
      }
    }
    watch.run(0, 40 * MINUTE_MS);
    return watch.messages.map(({ atMs, alarm, reason }) => ({ atMin: atMs / MINUTE_MS, alarm, reason }));
  };

  test('is told within five minutes of the run, by its own name, once', () => {
    expect(told(['mwc'])).toEqual([{ atMin: 14, alarm: 'AgentFailsmwc', reason: ['ProbeFailsmwc'] }]);
  });

  test('is told with the others at once, where none does', () => {
    expect(told(THREE_AGENTS.map(({ id }) => id))).toMatchObject([{ atMin: 11, alarm: 'UsersAreAffected' }]);
  });
});

describe('the context', () => {
  const agent = { onboardingAgentArn: runtimeArn('OnboardingAgent') };

  test('has it as a rate', () => {
    expect(readContext({ ...agent, probe: 'rate(5 minutes)' }).probe?.toMinutes()).toBe(5);
    expect(readContext({ ...agent, probe: 'rate(1 minute)' }).probe?.toMinutes()).toBe(1);
    expect(readContext(agent).probe).toBeUndefined();
  });

  test.each([['5'], ['rate(0 minutes)'], ['rate(61 minutes)'], ['rate(1 hour)'], [5]])(
    'refuses %j',
    (probe) => {
      expect(() => readContext({ ...agent, probe })).toThrow(
        `probe: expected rate(1 minute) to rate(60 minutes), such as rate(5 minutes), got ${JSON.stringify(probe)}`,
      );
    },
  );

  test('has none on a Web Function', () => {
    const props = readContext({ ...agent, probe: 'rate(5 minutes)', host: 'web' });

    expect(() => stackOnHost(ourApp(), 'Web', props)).toThrow('probe: expected only with host=function-url');
  });
});

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { StreamError } from '../../lambda/errors.ts';
import type { RequestOutcome } from '../../lambda/telemetry/outcome.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';

type Line = Record<string, unknown>;

let printed: string;
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

const lines = () =>
  printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const metrics = () => lines().filter((line) => '_aws' in line);

const OPTIONS = { serviceName: 'mine', inFlightIntervalMs: 60_000 };

function outcome(more: Partial<RequestOutcome> = {}): RequestOutcome {
  return { route: 'invoke', error: undefined, startedAt: 1, endedAt: 2, ...more };
}

describe('a line of a request', () => {
  test('says whose the request is, once that is known, and of no other request', () => {
    const telemetry = createTelemetry(OPTIONS);
    const [one, other] = [telemetry.request('1', false), telemetry.request('2', false)];

    one.log.info('before');
    one.about({ agent: 'onboarding', session_id: 'session-1' });
    one.log.warn('after', { delay_ms: 5 });
    other.log.info('elsewhere');

    expect(lines()).toMatchObject([
      { level: 'INFO', message: 'before', service: 'mine', function_request_id: '1' },
      { level: 'WARN', message: 'after', agent: 'onboarding', session_id: 'session-1', delay_ms: 5 },
      { message: 'elsewhere', function_request_id: '2', cold_start: false },
    ]);
    expect(lines()[0]).not.toHaveProperty('agent');
    expect(lines()[2]).not.toHaveProperty('agent');
  });

  test('that cannot be written costs the request nothing but the line', () => {
    const { log } = createTelemetry(OPTIONS).request('1', false);
    const circle: Line = {};
    circle.circle = circle;

    expect(() => log.info('round', { circle })).not.toThrow();

    expect(lines()).toMatchObject([
      { level: 'ERROR', message: 'A line of the log was lost', lost: 'round', error: { name: 'TypeError' } },
    ]);
  });

  test('has of an error nothing that others hung on it, however deep, and ends', () => {
    const cause = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID', rawPacket: 'secret bytes' });
    const error = new Error('outer', { cause });
    cause.cause = error;

    createTelemetry(OPTIONS).request('1', false).log.warn('failed', { error });

    expect(printed).not.toContain('secret bytes');
    expect(lines()[0]).toMatchObject({
      cause: 'Parse Error',
      error: { message: 'outer', cause: { code: 'HPE_INVALID', message: 'Parse Error' } },
    });
    expect(printed.length).toBeLessThan(60_000);
  });

  test('has what each address of a host said', () => {
    const addresses = ['connect ECONNREFUSED ::1:1', 'connect ECONNREFUSED 127.0.0.1:1'];
    const cause = new AggregateError(addresses.map((said) => new Error(said)));
    const error = new Error('outer', { cause });

    createTelemetry(OPTIONS).request('1', false).log.warn('failed', { error });

    const both = addresses.join('; ');
    expect(lines()[0]).toMatchObject({ cause: both, error: { cause: { message: both } } });
  });

  test('is bounded, whatever an error says', () => {
    const error = new Error('x'.repeat(1_000_000));

    createTelemetry(OPTIONS).request('1', false).log.warn('failed', { error });

    expect(printed.length).toBeLessThan(30_000);
  });
});

describe('a failure before there was an agent', () => {
  test('of an invocation is an invocation that failed', async () => {
    const error = new StreamError('Internal', 'an internal error occurred');

    await createTelemetry(OPTIONS).request('1', false).finish(outcome({ error }));

    expect(metrics().filter((line) => 'InvocationCount' in line)).toMatchObject([
      { service: 'mine', InvocationCount: 1, InvocationErrors: 1 },
    ]);
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'ERROR', message: 'Request failed' }));
  });

  test.each<[string, Partial<RequestOutcome>]>([
    ['of another route', { route: 'stackStatus', error: new StreamError('Throttled', 'slow down') }],
    ['of no route', { route: undefined, error: new StreamError('Internal', 'broken') }],
  ])('%s is in no rate', async (_what, more) => {
    await createTelemetry(OPTIONS).request('1', false).finish(outcome(more));

    const names = metrics().flatMap((line) => Object.keys(line));
    expect(names).not.toContain('InvocationCount');
    expect(names).not.toContain('InvocationErrors');
    expect(names).not.toContain('RequestsRejected');
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'ERROR', message: 'Request failed' }));
  });
});

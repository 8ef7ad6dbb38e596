import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WATCHED_HOSTS, type WatchedHost } from '../infra/support.ts';
import {
  deployedAlarms,
  drill,
  fieldsFound,
  incidentsOn,
  lineFound,
  of,
  recordHealthy,
  recordIncident,
} from './drill.ts';
import { problemsOf } from './judge.ts';
import { type Pool, play, randomFrom } from './traffic.ts';

const HOUR_MS = 3_600_000;

/** The tests of the drill on one host. Each host has a file of its own, as two files run side by side. */
export function testDrill(host: WatchedHost): void {
  const cases = incidentsOn(host).map(([name, incident]) => ({ name, incident }));
  const recorded: { healthy: Pool; of: Record<string, Pool> } = { healthy: {}, of: {} };

  beforeAll(async () => {
    recorded.healthy = await recordHealthy(host);
    for (const { name, incident } of cases) recorded.of[name] = await recordIncident(host, incident);
  }, 600_000);

  test('every host that is watched is drilled', () => {
    const missing = WATCHED_HOSTS.filter((one) => !existsSync(join(import.meta.dirname, `${one}.test.ts`)));

    expect(missing).toEqual([]);
  });

  describe.each(cases)(`$name, on ${host},`, ({ name, incident }) => {
    test.each(Object.entries(incident.told))(
      'at %s requests in 5 minutes tells whom it should, once',
      (requestsPer5Min, expected) => {
        const { healthy, of } = recorded;

        const told = drill({
          host,
          healthy,
          incident,
          pool: of[name] ?? {},
          requestsPer5Min: Number(requestsPer5Min),
          seed: 1,
        });

        const problems = problemsOf(told, expected);
        expect({ problems, told: problems.length > 0 && told }).toEqual({ problems: [], told: false });
      },
    );

    test('leads to an article whose query finds it', () => {
      const alarms = deployedAlarms(host);
      const line = lineFound(incident, recorded.of[name] ?? {});

      for (const told of Object.values(incident.told).filter((one) => one !== undefined)) {
        const texts = alarms.names
          .filter((alarm) => alarm === told.by || told.reason.test(alarm))
          .map((alarm) => alarms.description(alarm));
        const anchor = incident.article.toLowerCase().replaceAll(' ', '-');
        expect(texts.some((text) => text.endsWith(`#${anchor}`))).toBe(true);
      }
      expect(line !== undefined).toBe(incident.finds !== undefined);
      if (!line) return;
      for (const [field, value] of Object.entries(fieldsFound(incident, line))) {
        expect(value).toMatch(incident.finds?.[field] ?? '');
      }
    });
  });

  describe(`an hour of healthy traffic on ${host}`, () => {
    /** What is no incident but may happen to one request in two hundred. */
    const ACCIDENTS = [
      'an agent that fails',
      'a container that dies within its answers',
      'an agent that hangs',
      'an agent that marks no end',
      'AgentCore is down',
      ...(host === 'function-url' ? ['a function that does not start', 'no concurrency is left'] : []),
      'a session store that is gone',
      'sessions that start slowly',
      'one agent becomes slow',
    ];
    const raisedIn = (requestsPer5Min: number, accident: string, seed: number) => {
      const alarms = deployedAlarms(host);
      // Of whatever agent it was recorded.
      const [recordings = []] = Object.values(of(alarms, recorded.of[accident] ?? {}));
      const quiet = of(alarms, recorded.healthy);
      const pool = Object.fromEntries(Object.keys(quiet).map((agent) => [agent, recordings]));
      const untilMs = 2 * HOUR_MS;
      play(
        alarms.store,
        { requestsPer5Min, healthy: quiet, singles: { pool, share: 0.005 }, untilMs },
        randomFrom(seed),
      );
      alarms.run(0, untilMs);
      return alarms.raised;
    };

    test.each([
      [20, 40],
      [60, 20],
      [200, 10],
      [2000, 3],
    ])(
      'with 0.5 %% of single failures raises no alarm at %i requests in 5 minutes',
      (requestsPer5Min, numRuns) => {
        fc.assert(
          fc.property(fc.constantFrom(...ACCIDENTS), fc.nat(), (accident, seed) => {
            expect(raisedIn(requestsPer5Min, accident, seed)).toEqual([]);
          }),
          { numRuns, seed: 20_261_128 },
        );
      },
      180_000,
    );

    test('is what the incidents of these names are not', () => {
      expect(incidentsOn(host).map(([name]) => name)).toEqual(expect.arrayContaining(ACCIDENTS));
    });
  });
}

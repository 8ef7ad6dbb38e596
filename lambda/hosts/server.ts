import { RetryBudget } from '../agentcore/retry-budget.ts';
import { readConfig, readServiceName } from '../config.ts';
import { DIMENSIONS } from '../contract.ts';
import { createService } from '../http/service.ts';
import { SETTINGS } from '../settings.ts';
import { writeMetrics } from '../telemetry/emf.ts';
import { loggable } from '../telemetry/log-line.ts';
import { flushLog, plainLog } from '../telemetry/plain-log.ts';
import { startHttpServer } from './http-server.ts';
import { readServerConfig, refuseIdentities, refuseShorterRequests } from './server-config.ts';

/**
 * The server. It gives the same answers as the function, on `node:http`, as a Lambda Web Function or in a container.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-web-functions.html
 */
const serviceName = readServiceName();
const { service, server } = await start();

async function start() {
  try {
    const config = readConfig(undefined, SETTINGS);
    const serverConfig = readServerConfig();
    refuseIdentities(config);
    refuseShorterRequests(config, serverConfig);
    const created = createService(config, { retryBudget: new RetryBudget() });
    await created.prepare();
    const listening = await startHttpServer(created, serverConfig);
    created.log.info('Listening', { url: listening.url });
    return { service: created, server: listening };
  } catch (error) {
    // One line tells of a wrong variable or a taken port, without a stack of minified code.
    plainLog(serviceName)('ERROR', 'The server cannot start', loggable({ error }));
    count('ServerStartFailures');
    await flushLog();
    process.exit(1);
  }
}

/** Counts a failed start or a crash, which ends this process. */
function count(name: 'ServerStartFailures' | 'ServerCrashes'): void {
  writeMetrics({ [DIMENSIONS.service]: serviceName }, { [name]: 1 });
}

let isEnding = false;

/** Ends the process when the last answer is over. */
async function end(exitCode: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await server.close();
  service.log.info('Ended');
  await service.close();
  process.exit(exitCode);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    service.log.info('Ending', { signal });
    void end(0);
  });
}

// The other running answers did not cause the error, so they get their grace. Then another process replaces this one.
process.on('uncaughtException', (error) => {
  service.log.error('Uncaught', { error });
  // Errors that follow while the process ends belong to the same crash.
  if (!isEnding) count('ServerCrashes');
  void end(1);
});

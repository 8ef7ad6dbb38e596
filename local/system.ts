import { ENV, SERVICE_NAME } from '../lambda/contract.ts';
import {
  type LocalAgent,
  type LocalAgentId,
  type LocalAgents,
  type LocalAgentsOptions,
  startAgents,
} from './agents/agents.ts';
import type { GivenAgent } from './agents-file.ts';
import { startCloudFormation } from './aws/cloudformation.ts';
import { type DataPlane, type DataPlaneOptions, startDataPlane } from './aws/data-plane.ts';
import { type DynamoDb, startDynamoDb } from './aws/dynamodb.ts';
import type { FunctionUrlOptions } from './aws/function-url.ts';
import type { LambdaRuntime, LambdaRuntimeOptions, LogEntry } from './aws/lambda-runtime.ts';
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './faults/fault-proxy.ts';
import { HOSTS, type HostName, hostNamed } from './hosts.ts';
import { neededAgents, runtimesOf, type SystemRuntime } from './runtimes.ts';

export type { SystemRuntime } from './runtimes.ts';

export interface SystemOptions {
  /** What the service runs on. @default the variable SYSTEM_HOST, or a Function URL */
  host?: HostName;
  agents?: LocalAgentsOptions;
  /** Agents instead of the three of this project. */
  runtimes?: SystemRuntime[];
  /** Entries of AGENTS, as a deployment has them. @default those of the local agents */
  configured?: GivenAgent[];
  /** Containers in the place of local agents, by the id of their entry. */
  replacedAgents?: Record<string, string>;
  /** Local agents that are configured a second time, as `<id>-http`, by their entrypoint. @default none */
  overHttp?: readonly LocalAgentId[];
  dataPlane?: Omit<DataPlaneOptions, 'runtimes' | 'credentials'>;
  /** A network with faults of its own between function and data plane. @default none, they are neighbours */
  network?: Omit<FaultProxyOptions, 'target'>;
  /** Whether sessions are kept, in a DynamoDB of its own. @default false */
  sessions?: boolean;
  /** A network with faults of its own between function and DynamoDB. @default none */
  storeNetwork?: Omit<FaultProxyOptions, 'target'>;
  /** Keys of the function that the data plane knows. */
  credentials?: DataPlaneOptions['credentials'];
  runtime?: Partial<Omit<LambdaRuntimeOptions, 'environment'>>;
  /** Variables of the function, over the ones that are made here. */
  environment?: Record<string, string>;
  functionUrl?: Omit<FunctionUrlOptions, 'runtime' | 'cors'>;
  /** @default ['*'] */
  allowedOrigins?: string[];
  onLog?: (entry: LogEntry) => void;
}

export interface System {
  /** Where the host is called, without a trailing slash. */
  url: string;
  agents: LocalAgent[];
  dataPlane: DataPlane;
  network: FaultProxy | undefined;
  /** Where sessions are kept. */
  dynamoDb: DynamoDb | undefined;
  storeNetwork: FaultProxy | undefined;
  runtime: LambdaRuntime;
  logs: LogEntry[];
  close(): Promise<void>;
}

/** The keys of the local function. Its session token is what Lambda's have, too. */
export const LOCAL_CREDENTIALS = {
  accessKeyId: 'ASIALOCALLOCALLOCAL1',
  secretAccessKey: 'local-secret-access-key-of-nobody-0000001',
  sessionToken: 'local-session-token/of+nobody==',
};

/** Keeps a bounded number of log lines for whoever looks. */
const MAX_LOGS = 10_000;

/** The whole system on one machine: agents, data plane and a host. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { credentials = [LOCAL_CREDENTIALS] } = options;
  const started: { close(): Promise<void> }[] = [];
  const logs: LogEntry[] = [];
  const close = async () => {
    for (const part of started.toReversed()) await part.close();
  };
  try {
    const { configured, replacedAgents: containers, overHttp } = options;
    const entries = { configured, containers, overHttp };
    const local: LocalAgents = options.runtimes
      ? { agents: [], close: async () => {} }
      : await startAgents({ only: neededAgents(entries), ...options.agents });
    started.push(local);
    const runtimes = options.runtimes ?? runtimesOf(local.agents, entries);
    const dataPlane = await startDataPlane({ ...options.dataPlane, runtimes, credentials });
    started.push(dataPlane);
    const network = options.network && (await startFaultProxy({ ...options.network, target: dataPlane.url }));
    if (network) started.push(network);
    const cloudFormation = await startCloudFormation();
    started.push(cloudFormation);
    const dynamoDb = options.sessions ? await startDynamoDb(LOCAL_CREDENTIALS) : undefined;
    if (dynamoDb) started.push(dynamoDb);
    const storeNetwork =
      dynamoDb &&
      options.storeNetwork &&
      (await startFaultProxy({ ...options.storeNetwork, target: dynamoDb.url }));
    if (storeNetwork) started.push(storeNetwork);
    const host = await HOSTS[
      options.host ?? hostNamed('SYSTEM_HOST', process.env.SYSTEM_HOST ?? 'function-url')
    ]({
      runtime: options.runtime,
      functionUrl: options.functionUrl,
      allowedOrigins: options.allowedOrigins ?? ['*'],
      environment: {
        [ENV.AGENTS]: JSON.stringify(
          runtimes.map(({ target: _target, qualifiers: _names, endSession: _end, ...entry }) => entry),
        ),
        [ENV.STAGE]: 'local',
        POWERTOOLS_SERVICE_NAME: SERVICE_NAME,
        [ENV.ENDPOINT_URL]: (network ?? dataPlane).url,
        [ENV.STACK_STATUS_PREFIX]: 'agent-',
        AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
        ...(dynamoDb && {
          [ENV.SESSION_TABLE]: dynamoDb.tableName,
          AWS_ENDPOINT_URL_DYNAMODB: (storeNetwork ?? dynamoDb).url,
        }),
        AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
        AWS_SESSION_TOKEN: LOCAL_CREDENTIALS.sessionToken,
        ...options.environment,
      },
      onLog: (entry) => {
        logs.push(entry);
        if (logs.length > MAX_LOGS) logs.shift();
        options.onLog?.(entry);
      },
    });
    started.push(host);
    const { url, runtime } = host;
    return { url, agents: local.agents, dataPlane, network, dynamoDb, storeNetwork, runtime, logs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

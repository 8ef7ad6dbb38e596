import { ENV, SERVICE_NAME } from '../lambda/contract.ts';
import { BUNDLE_FOLDER } from '../lib/bundle.ts';
import { CORS } from '../lib/cors.ts';
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
import {
  type Cors,
  type FunctionUrl,
  type FunctionUrlOptions,
  startFunctionUrl,
} from './aws/function-url.ts';
import {
  type LambdaRuntime,
  type LambdaRuntimeOptions,
  type LogEntry,
  startLambdaRuntime,
} from './aws/lambda-runtime.ts';
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './faults/fault-proxy.ts';
import { neededAgents, runtimesOf, type SystemRuntime } from './runtimes.ts';

export type { SystemRuntime } from './runtimes.ts';

export interface SystemOptions {
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
  /** The Function URL, without a trailing slash. */
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

/** The construct's CORS settings, for any origin. */
export const LOCAL_CORS: Cors = {
  allowedOrigins: ['*'],
  allowedHeaders: CORS.allowHeaders,
  allowedMethods: CORS.allowMethods,
  exposedHeaders: CORS.exposeHeaders,
  maxAgeSeconds: CORS.maxAgeSeconds,
};

/** Keeps a bounded number of log lines for whoever looks. */
const MAX_LOGS = 10_000;

/** The whole system on one machine: agents, data plane, Lambda and Function URL. */
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
    const runtime = startLambdaRuntime({
      folder: BUNDLE_FOLDER,
      ...options.runtime,
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
    started.push(runtime);
    const functionUrl: FunctionUrl = await startFunctionUrl({
      ...options.functionUrl,
      runtime,
      cors: { ...LOCAL_CORS, allowedOrigins: options.allowedOrigins ?? LOCAL_CORS.allowedOrigins },
    });
    started.push(functionUrl);
    return {
      url: functionUrl.url,
      agents: local.agents,
      dataPlane,
      network,
      dynamoDb,
      storeNetwork,
      runtime,
      logs,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

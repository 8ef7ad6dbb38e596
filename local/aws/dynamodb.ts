import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import type { Credentials } from '../../lambda/config.ts';

export interface DynamoDb {
  /** Origin, for AWS_ENDPOINT_URL_DYNAMODB. */
  url: string;
  /** Of the sessions. */
  tableName: string;
  close(): Promise<void>;
}

const TABLE_NAME = 'local-sessions';

/** DynamoDB's wire protocol in this process, with the table of sessions as the construct makes it. */
export async function startDynamoDb(credentials: Credentials): Promise<DynamoDb> {
  const server: Server = dynalite({ createTableMs: 0 });
  const rest = restOf(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE_NAME,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  client.destroy();
  return {
    url,
    tableName: TABLE_NAME,
    async close() {
      await rest();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/**
 * Returns a function that refuses further requests and resolves when none is under way. Dynalite throws an error that
 * nobody can catch where a request reaches a table that is closed, and a process that was killed may have sent one.
 */
function restOf(server: Server): () => Promise<void> {
  const open = new Set<ServerResponse>();
  let isClosing = false;
  let onRest = () => {};
  const handlers = server.listeners('request');
  server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isClosing) {
      response.destroy();
      return;
    }
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0) onRest();
    });
    for (const handle of handlers) handle.call(server, request, response);
  });
  return () =>
    new Promise((resolve) => {
      isClosing = true;
      onRest = resolve;
      if (open.size === 0) resolve();
    });
}

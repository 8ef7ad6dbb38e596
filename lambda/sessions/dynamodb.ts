import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { CredentialProvider } from '../agentcore/signing.ts';
import { LEASE_MS, type LogParts, type SessionState, type SessionStore } from './store.ts';

export interface DynamoDbStoreOptions {
  tableName: string;
  ttlMs: number;
  credentials: CredentialProvider;
  /** Milliseconds since the epoch. @default Date.now */
  clock?: () => number;
}

type Row = Record<string, { S?: string; N?: string; BOOL?: boolean }>;

/** DynamoDB takes 400 KB an item, and 25 items a request. */
const MAX_PART_BYTES = 96_000;
const MAX_PARTS_PER_REQUEST = 25;
const MAX_ATTEMPTS = 3;
const RETRY_MS = 50;

/**
 * Keeps sessions in a DynamoDB table with the string keys `pk` and `sk` and the TTL attribute `expiresAt`: a row for
 * each session, and the log of each answer in parts.
 */
export class DynamoDbStore implements SessionStore {
  /** One write each, and a lease renewed now and then: fewer than two writes a second. */
  readonly intervalMs = 600;
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #ttlMs: number;
  readonly #clock: () => number;

  constructor({ tableName, ttlMs, credentials, clock = Date.now }: DynamoDbStoreOptions) {
    this.#table = tableName;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#client = new DynamoDBClient({
      credentials,
      maxAttempts: MAX_ATTEMPTS,
      // A store that does not answer is soon given up; the connection is kept for the next answer.
      requestHandler: { connectionTimeout: 1000, requestTimeout: 1000, throwOnRequestTimeout: true },
    });
  }

  async claim(session: string, requestId: string): Promise<string | undefined> {
    const now = this.#clock();
    try {
      await this.#update(session, {
        UpdateExpression: 'SET requestId = :id, leaseUntil = :until, expiresAt = :expires REMOVE isStopped',
        // The answer's own lease: an attempt whose reply was lost is made again.
        ConditionExpression: 'attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR requestId = :id',
        ExpressionAttributeValues: { ...this.#lease(requestId), ':now': { N: String(now) } },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // What stands in for DynamoDB may not tell whose it is.
      return error.Item?.requestId?.S ?? (await this.read(session))?.requestId ?? '';
    }
  }

  async renew(session: string, requestId: string): Promise<SessionState | undefined> {
    try {
      const { Attributes } = await this.#update(session, {
        UpdateExpression: 'SET leaseUntil = :until, expiresAt = :expires',
        ConditionExpression: 'requestId = :id',
        ExpressionAttributeValues: this.#lease(requestId),
        ReturnValues: 'ALL_NEW',
      });
      return this.#stateOf(Attributes);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  async release(session: string, requestId: string): Promise<void> {
    try {
      await this.#update(session, {
        UpdateExpression: 'REMOVE leaseUntil',
        ConditionExpression: 'requestId = :id',
        ExpressionAttributeValues: { ':id': { S: requestId } },
      });
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async read(session: string): Promise<SessionState | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOfSession(session), ConsistentRead: true }),
    );
    return this.#stateOf(Item);
  }

  async stop(session: string): Promise<boolean> {
    try {
      await this.#update(session, {
        UpdateExpression: 'SET isStopped = :true',
        ConditionExpression: 'leaseUntil > :now',
        ExpressionAttributeValues: { ':true': { BOOL: true }, ':now': { N: String(this.#clock()) } },
      });
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async append(requestId: string, part: number, log: Uint8Array): Promise<number> {
    const items: object[] = [];
    for (let start = 0; start < log.length; start += MAX_PART_BYTES) {
      const Item = {
        pk: { S: `answer#${requestId}` },
        sk: { S: sortKeyOf(part + items.length) },
        log: { B: log.subarray(start, start + MAX_PART_BYTES) },
        expiresAt: this.#expiry(),
      };
      items.push({ PutRequest: { Item } });
    }
    for (let first = 0; first < items.length; first += MAX_PARTS_PER_REQUEST) {
      await this.#write(items.slice(first, first + MAX_PARTS_PER_REQUEST));
    }
    return part + items.length;
  }

  async readLog(requestId: string, part: number): Promise<LogParts> {
    const parts: Uint8Array[] = [];
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND sk >= :sk',
        ExpressionAttributeValues: { ':pk': { S: `answer#${requestId}` }, ':sk': { S: sortKeyOf(part) } },
        ConsistentRead: true,
      },
    );
    for await (const { Items = [] } of pages) {
      for (const { sk, log } of Items) {
        const isNext = sk?.S === sortKeyOf(part + parts.length) && log?.B !== undefined;
        // Parts that were written side by side may come in any order; what lies behind a gap is read later.
        if (!isNext) return { log: Buffer.concat(parts), nextPart: part + parts.length };
        parts.push(log.B);
      }
    }
    return { log: Buffer.concat(parts), nextPart: part + parts.length };
  }

  /** A throttled table takes a part of the items and names the others. */
  async #write(items: object[]): Promise<void> {
    let left: unknown = { [this.#table]: items };
    for (let attempt = 1; Object.keys(left as object).length > 0; attempt += 1) {
      if (attempt > MAX_ATTEMPTS) throw new Error('the table does not take everything that is written');
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** attempt));
      const { UnprocessedItems = {} } = await this.#client.send(
        new BatchWriteItemCommand({ RequestItems: left as Record<string, never> }),
      );
      left = UnprocessedItems;
    }
  }

  #update(session: string, input: Omit<UpdateItemCommand['input'], 'TableName' | 'Key'>) {
    const command = new UpdateItemCommand({ TableName: this.#table, Key: keyOfSession(session), ...input });
    return this.#client.send(command);
  }

  #lease(requestId: string) {
    return {
      ':id': { S: requestId },
      ':until': { N: String(this.#clock() + LEASE_MS) },
      ':expires': this.#expiry(),
    };
  }

  /** Whole seconds, as DynamoDB's TTL has it. */
  #expiry(): { N: string } {
    return { N: String(Math.ceil((this.#clock() + this.#ttlMs) / 1000)) };
  }

  #stateOf(row: Row | undefined): SessionState | undefined {
    const requestId = row?.requestId?.S;
    const now = this.#clock();
    // DynamoDB deletes what has expired when it finds the time.
    if (requestId === undefined || Number(row?.expiresAt?.N) * 1000 <= now) return undefined;
    const isRunning = Number(row?.leaseUntil?.N ?? 0) > now;
    return { requestId, isRunning, isStopped: row?.isStopped?.BOOL === true };
  }
}

function keyOfSession(session: string) {
  return { pk: { S: `session#${session}` }, sk: { S: 'session' } };
}

/** In the order of the parts. */
function sortKeyOf(part: number): string {
  return String(part).padStart(10, '0');
}

import { DynamoDbApi, type DynamoDbApiOptions, DynamoDbError, type Item } from './dynamodb-api.ts';
import { LEASE_MS, type LogParts, type SessionState, type SessionStore } from './store.ts';

export interface DynamoDbStoreOptions extends DynamoDbApiOptions {
  tableName: string;
  ttlMs: number;
  /** Returns milliseconds since the epoch. @default Date.now */
  clock?: () => number;
}

/** An UpdateItem request, without the table and the key. */
interface Update {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeValues: Item;
  ReturnValues?: 'ALL_NEW';
  ReturnValuesOnConditionCheckFailure?: 'ALL_OLD';
}

/** DynamoDB takes items of up to 400 KB, and up to 25 items in one request. */
const MAX_PART_BYTES = 96_000;
const MAX_PARTS_PER_REQUEST = 25;
const MAX_WRITES = 3;
const REWRITE_MS = 50;

/**
 * Keeps sessions in a DynamoDB table with the string keys `pk` and `sk` and the TTL attribute `expiresAt`. Each session
 * is one row, and the log of each answer is split into several rows.
 */
export class DynamoDbStore implements SessionStore {
  /** Each interval has one write, and some renew the lease as well: together fewer than two writes a second. */
  readonly intervalMs = 600;
  readonly #api: DynamoDbApi;
  readonly #table: string;
  readonly #ttlMs: number;
  readonly #clock: () => number;

  constructor({ tableName, ttlMs, clock = Date.now, ...options }: DynamoDbStoreOptions) {
    this.#table = tableName;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#api = new DynamoDbApi(options);
  }

  async claim(session: string, requestId: string): Promise<string | undefined> {
    const now = this.#clock();
    try {
      await this.#update(session, {
        UpdateExpression: 'SET requestId = :id, leaseUntil = :until, expiresAt = :expires REMOVE isStopped',
        // The answer may take its own lease again, because an attempt whose reply is lost is repeated.
        ConditionExpression: 'attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR requestId = :id',
        ExpressionAttributeValues: { ...this.#lease(requestId), ':now': { N: String(now) } },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      return undefined;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      // A replacement of DynamoDB may not return the item of a failed condition, so the item is read.
      return error.item?.requestId?.S ?? (await this.read(session))?.requestId ?? '';
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
      if (isConditionFailed(error)) return undefined;
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
      if (!isConditionFailed(error)) throw error;
    }
  }

  async read(session: string): Promise<SessionState | undefined> {
    const key = { TableName: this.#table, Key: keyOfSession(session), ConsistentRead: true };
    const { Item } = await this.#api.send('GetItem', key);
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
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  async append(requestId: string, part: number, log: Uint8Array): Promise<number> {
    const items: object[] = [];
    for (let start = 0; start < log.length; start += MAX_PART_BYTES) {
      const Item = {
        pk: { S: `answer#${requestId}` },
        sk: { S: sortKeyOf(part + items.length) },
        log: { B: Buffer.from(log.subarray(start, start + MAX_PART_BYTES)).toString('base64') },
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
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND sk >= :sk',
      ExpressionAttributeValues: { ':pk': { S: `answer#${requestId}` }, ':sk': { S: sortKeyOf(part) } },
      ConsistentRead: true,
    };
    let ExclusiveStartKey: Item | undefined;
    do {
      const page = await this.#api.send('Query', { ...query, ExclusiveStartKey });
      for (const { sk, log } of page.Items ?? []) {
        const isNext = sk?.S === sortKeyOf(part + parts.length);
        // Parts that are written in parallel may become visible in any order, so parts after a gap are read later.
        if (!isNext || log?.B === undefined) {
          return { log: Buffer.concat(parts), nextPart: part + parts.length };
        }
        parts.push(Buffer.from(log.B, 'base64'));
      }
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return { log: Buffer.concat(parts), nextPart: part + parts.length };
  }

  /** Writes items. A throttled table takes only some of them and returns the others, which are written again. */
  async #write(items: object[]): Promise<void> {
    let left: Record<string, object[]> = { [this.#table]: items };
    for (let attempt = 1; Object.keys(left).length > 0; attempt += 1) {
      if (attempt > MAX_WRITES) throw new Error('the table does not take everything that is written');
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, REWRITE_MS * 2 ** attempt));
      const { UnprocessedItems = {} } = await this.#api.send('BatchWriteItem', { RequestItems: left });
      left = UnprocessedItems;
    }
  }

  #update(session: string, update: Update): Promise<{ Attributes?: Item }> {
    return this.#api.send('UpdateItem', { TableName: this.#table, Key: keyOfSession(session), ...update });
  }

  #lease(requestId: string) {
    return {
      ':id': { S: requestId },
      ':until': { N: String(this.#clock() + LEASE_MS) },
      ':expires': this.#expiry(),
    };
  }

  /** Returns the time of expiry in whole seconds, the form of DynamoDB's TTL. */
  #expiry(): { N: string } {
    return { N: String(Math.ceil((this.#clock() + this.#ttlMs) / 1000)) };
  }

  #stateOf(row: Item | undefined): SessionState | undefined {
    const requestId = row?.requestId?.S;
    const now = this.#clock();
    // DynamoDB may keep an expired row for a while before it deletes the row.
    if (requestId === undefined || Number(row?.expiresAt?.N) * 1000 <= now) return undefined;
    const isRunning = Number(row?.leaseUntil?.N ?? 0) > now;
    return { requestId, isRunning, isStopped: row?.isStopped?.BOOL === true };
  }
}

/** Whether an error means that the row does not fulfil the condition of the request. */
function isConditionFailed(error: unknown): error is DynamoDbError {
  return error instanceof DynamoDbError && error.name === 'ConditionalCheckFailedException';
}

function keyOfSession(session: string) {
  return { pk: { S: `session#${session}` }, sk: { S: 'session' } };
}

/** Returns the sort key of a part. The keys, which are text, sort like the numbers of the parts. */
function sortKeyOf(part: number): string {
  return String(part).padStart(10, '0');
}

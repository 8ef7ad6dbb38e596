import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { AwsRequest, SignedRequest } from '../agentcore/signing.ts';
import type { ServiceEndpoint } from '../config.ts';

export interface DynamoDbApiOptions {
  endpoint: ServiceEndpoint;
  sign: (request: AwsRequest) => Promise<SignedRequest>;
}

/** Attributes as DynamoDB's API writes them, each of one type; binary ones in base64. */
export type Item = Record<string, { S?: string; N?: string; B?: string; BOOL?: boolean }>;

/** The part of each operation's answer that is read here. */
interface Answers {
  GetItem: { Item?: Item };
  UpdateItem: { Attributes?: Item };
  BatchWriteItem: { UnprocessedItems?: Record<string, object[]> };
  Query: { Items?: Item[]; LastEvaluatedKey?: Item };
}

const MAX_ATTEMPTS = 3;
const RETRY_MS = 50;
/** A store that sends nothing for so long is soon given up. */
const TIMEOUT_MS = 1000;
const MAX_ANSWER_BYTES = 2_000_000;
/** Errors that say that the same request may be made again later; beside these, every 5xx does. */
const TRANSIENT = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
]);

/** DynamoDB has refused a request. */
export class DynamoDbError extends Error {
  override readonly name: string;
  readonly status: number;
  /** The item that a condition was not true of, where the request asked for it. */
  readonly item: Item | undefined;

  constructor(status: number, { __type: type, message, Message, Item: item }: Record<string, unknown>) {
    super(String(message ?? Message ?? `DynamoDB answered ${status}`));
    // `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`
    this.name = typeof type === 'string' ? (type.split('#').at(-1) ?? type) : 'DynamoDbError';
    this.status = status;
    this.item = item as Item | undefined;
  }
}

/**
 * DynamoDB's API for the few operations that the store of sessions needs: a signed POST of JSON each, on connections
 * that are kept. The lease of a session is taken before its prompt is sent. There the AWS SDK's client costs 110 ms of
 * CPU in a cold start, and 4 ms for each write after it; this takes a tenth of that.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */
export class DynamoDbApi {
  readonly #options: DynamoDbApiOptions;
  readonly #agent: HttpAgent;

  constructor(options: DynamoDbApiOptions) {
    this.#options = options;
    const kept = { keepAlive: true, maxSockets: 50 };
    this.#agent = isSecure(options.endpoint.origin) ? new HttpsAgent(kept) : new HttpAgent(kept);
  }

  /**
   * Asks, up to three times where the connection breaks or DynamoDB is throttling or ailing. Every request made here may
   * be made twice.
   *
   * @throws DynamoDbError what DynamoDB refuses with; any other Error where it does not answer
   */
  async send<Name extends keyof Answers>(operation: Name, input: object): Promise<Answers[Name]> {
    const body = JSON.stringify(input);
    const signed = await this.#sign(operation, body);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { status, text } = await this.#post(signed, body, attempt > 1);
        const answer = parseObject(text);
        if (status === 200) return answer as Answers[Name];
        throw new DynamoDbError(status, answer);
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isTransient(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS * 2 ** attempt));
    }
  }

  #sign(operation: string, body: string): Promise<SignedRequest> {
    const { endpoint, sign } = this.#options;
    return sign({
      service: 'dynamodb',
      region: endpoint.region,
      method: 'POST',
      url: endpoint.origin,
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
      body,
    });
  }

  #post(
    { url, headers }: SignedRequest,
    body: string,
    isRetry: boolean,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const request = (isSecure(url) ? requestHttps : requestHttp)(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        // A connection that was kept through a freeze may be dead; the next one may be, too.
        agent: isRetry ? false : this.#agent,
        timeout: TIMEOUT_MS,
      });
      request.once('timeout', () => request.destroy(new Error('DynamoDB did not answer in time')));
      request.on('error', reject);
      request.once('response', (answer) => {
        textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
      });
      request.end(body);
    });
  }
}

/** What does not come from DynamoDB itself is a connection that broke. */
function isTransient(error: unknown): boolean {
  return !(error instanceof DynamoDbError) || error.status >= 500 || TRANSIENT.has(error.name);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:';
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('DynamoDB answered more than a page');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** The parser's own errors quote what they cannot read, which may be an answer of an agent. */
function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {}
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new Error('DynamoDB answered with something else than a JSON object');
}

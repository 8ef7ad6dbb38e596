import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { AwsRequest, SignedRequest } from '../agentcore/signing.ts';
import { withoutSignedRequest } from '../aws-message.ts';
import type { ServiceEndpoint } from '../config.ts';

export interface DynamoDbApiOptions {
  endpoint: ServiceEndpoint;
  sign: (request: AwsRequest) => Promise<SignedRequest>;
  /** A request is given up after this time without any byte. @default 1000 */
  timeoutMs?: number;
}

/** Attributes in the form of DynamoDB's API. Each has one type, and a binary one is in base64. */
export type Item = Record<string, { S?: string; N?: string; B?: string; BOOL?: boolean }>;

/** The part of each operation's answer that is read here. */
interface Answers {
  GetItem: { Item?: Item };
  UpdateItem: { Attributes?: Item };
  BatchWriteItem: { UnprocessedItems?: Record<string, object[]> };
  Query: { Items?: Item[]; LastEvaluatedKey?: Item };
}

interface HttpAnswer {
  status: number;
  text: string;
}

const MAX_ATTEMPTS = 3;
const RETRY_MS = 50;
const TIMEOUT_MS = 1000;
const MAX_ANSWER_BYTES = 2_000_000;
/** The errors after which the same request may be repeated. Every 5xx may be repeated as well. */
const TRANSIENT = new Set([
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'ThrottlingException',
]);

/** The error of a request that DynamoDB refuses. */
export class DynamoDbError extends Error {
  override readonly name: string;
  readonly status: number;
  /** The item that does not fulfil the request's condition, if the request asks for the item. */
  readonly item: Item | undefined;

  constructor(status: number, { __type: type, message, Message, Item: item }: Record<string, unknown>) {
    super(withoutSignedRequest(String(message ?? Message ?? `DynamoDB answered ${status}`)));
    // The type has the form `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`.
    this.name = typeof type === 'string' ? (type.split('#').at(-1) ?? type) : 'DynamoDbError';
    this.status = status;
    this.item = item as Item | undefined;
  }
}

/**
 * DynamoDB's API for the few operations of the session store. Each operation is a signed POST of JSON on a kept
 * connection. The AWS SDK's client would cost 110 ms of CPU in a cold start and 4 ms for each later write, and a prompt
 * waits for the write that takes its session. This class takes a tenth of that.
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
   * Sends a request, up to three times if the connection breaks, DynamoDB throttles or answers 5xx. Every request that
   * is made here may be repeated safely.
   *
   * @throws DynamoDbError when DynamoDB refuses the request; another Error when it does not answer
   */
  async send<Name extends keyof Answers>(operation: Name, input: object): Promise<Answers[Name]> {
    const body = JSON.stringify(input);
    for (let attempt = 1; ; attempt += 1) {
      // Each attempt has a signature of its own: the process may be frozen between two of them, for longer than one lasts.
      const signed = await this.#sign(operation, body);
      try {
        const { status, text } = await this.#post(signed, body, attempt > 1);
        const answer = parseObject(text);
        if (status !== 200) throw new DynamoDbError(status, answer ?? {});
        if (answer) return answer as Answers[Name];
        throw new Error('DynamoDB answered with something other than a JSON object');
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

  /**
   * Sends a request and reads its answer. A kept connection that breaks has died while nobody used it, mostly in a
   * freeze. The prompt that waits for this request has no time for a pause, so the request goes out again at once.
   */
  async #post({ url, headers }: SignedRequest, body: string, isRepeated: boolean): Promise<HttpAnswer> {
    const request = (isSecure(url) ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: this.#agent,
      timeout: this.#options.timeoutMs ?? TIMEOUT_MS,
    });
    try {
      return await answerTo(request, body);
    } catch (error) {
      if (!request.reusedSocket || isRepeated) throw error;
      this.#dropKept();
      return this.#post({ url, headers }, body, true);
    }
  }

  /** Closes the connections that nobody uses: where one has died, the others have, too. */
  #dropKept(): void {
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
  }
}

/** Whether a request may be repeated. An error that does not come from DynamoDB itself is a broken connection. */
function isTransient(error: unknown): boolean {
  return !(error instanceof DynamoDbError) || error.status >= 500 || TRANSIENT.has(error.name);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:';
}

function answerTo(request: ClientRequest, body: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.once('timeout', () => request.destroy(new Error('DynamoDB did not answer in time')));
    request.on('error', reject);
    request.once('response', (answer) => {
      textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
    });
    request.end(body);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('DynamoDB answered with more bytes than a page has');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/**
 * Parses an object. Returns undefined for anything else: the parser's own error would quote the text, which may be an
 * agent's answer.
 */
function parseObject(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {}
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

import { randomUUID } from 'node:crypto';

/** What AgentCore answers instead of what was asked for. */
export class Refusal {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  constructor(status: number, errorType: string, message: string, more: object = {}) {
    this.status = status;
    this.headers = {
      'content-type': 'application/json',
      'x-amzn-ErrorType': `${errorType}:`,
      'x-amzn-requestid': randomUUID(),
    };
    this.body = JSON.stringify({ message, ...more });
  }
}

/** What the caller is told when the container is at fault. */
export function runtimeClientError(message: string): Refusal {
  return new Refusal(
    424,
    'RuntimeClientError',
    `${message}. Please check your CloudWatch logs for more information.`,
  );
}

/** What the caller is told when a field of the request is not as the API describes it. */
export function invalidField(name: string, message: string, expected: string): Refusal {
  return new Refusal(400, 'ValidationException', message, {
    reason: 'FieldValidationFailed',
    fieldList: [{ name, message: expected }],
  });
}

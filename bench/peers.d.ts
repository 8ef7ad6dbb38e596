// What the contenders use of libraries that only the bench installs, so that the types check without them.

declare module 'hono' {
  interface Context {
    req: { json(): Promise<never> };
  }
  export class Hono {
    post(path: string, handler: (c: Context) => Promise<Response>): this;
  }
}

declare module 'hono/aws-lambda' {
  import type { StreamifyHandler } from 'aws-lambda';
  import type { Hono } from 'hono';
  export function streamHandle(app: Hono): StreamifyHandler;
}

declare module '@aws-lambda-powertools/event-handler/http' {
  import type { StreamifyHandler } from 'aws-lambda';
  export class Router {
    post(path: string, handler: (context: { req: { json(): Promise<never> } }) => Promise<Response>): void;
  }
  export function streamify(app: Router): StreamifyHandler;
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listener } from '../listener.ts';

export interface LocalServer {
  /** Without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/**
 * A server on this machine alone, which ends all its connections when it is closed.
 *
 * @param port 0: any free one
 * @throws what listening fails with
 */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
  port = 0,
): Promise<LocalServer> {
  const server = createServer(
    listener(answer, (error, request, response) => {
      // That a caller left in the middle of its request is no fault of this server.
      if (!request.errored) console.error(error);
      response.destroy();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

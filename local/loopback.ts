import type { IncomingMessage } from 'node:http';

/** What a request is answered instead of what it asks for. */
export interface AccessRefusal {
  status: number;
  message: string;
}

/** Refuses a request by its headers alone; undefined lets it through. */
export type Access = (request: Pick<IncomingMessage, 'headers'>) => AccessRefusal | undefined;

export interface AccessOptions {
  /** Origins beside those of this machine, `https://app.example.com`. */
  allowedOrigins: readonly string[];
  /** Whether pages of any other origin are refused, too: their requests would act with the developer's credentials. */
  refusesOrigins: boolean;
}

/**
 * Who may use a server that a developer runs. Every page in the developer's browser can send requests to 127.0.0.1, and
 * one whose name resolves to 127.0.0.1 (DNS rebinding) is its own origin there, for which no CORS header is asked.
 */
export function loopbackAccess({ allowedOrigins, refusesOrigins }: AccessOptions): Access {
  const hosts = allowedOrigins.map((origin) => new URL(origin).host);
  return ({ headers: { host = '', origin } }) => {
    if (!isLoopback(`http://${host}`) && !hosts.includes(host.toLowerCase())) {
      return {
        status: 421,
        message:
          'this server answers requests to 127.0.0.1 or localhost; npm start -- --allow-origin <origin> lets another name in',
      };
    }
    if (!refusesOrigins || origin === undefined || isLoopback(origin) || allowedOrigins.includes(origin)) {
      return undefined;
    }
    return {
      status: 403,
      message: 'pages of this origin may not use your agents; npm start -- --allow-origin <origin> lets them',
    };
  };
}

/** Whether an origin or URL is one of this machine. */
function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return /^(127\.\d+\.\d+\.\d+|\[::1\]|(.+\.)?localhost)$/.test(hostname);
}

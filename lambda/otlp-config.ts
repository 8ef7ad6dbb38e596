import { ENV } from './contract.ts';

/** A collector of OpenTelemetry traces. */
export interface OtlpTarget {
  /** Where they are posted. */
  url: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
}

const OTLP_TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const OTLP_HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';
const OTLP_TIMEOUT = 'OTEL_EXPORTER_OTLP_TIMEOUT';

/** Shorter than OpenTelemetry's own 10 s: an environment is billed while it waits for its collector. */
const OTLP_TIMEOUT_MS = 1000;

/**
 * The variables that every exporter of OpenTelemetry has: the endpoint of all signals, to which a path is added, or that
 * of traces as it is.
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlp(env: Record<string, string | undefined>): OtlpTarget | undefined {
  const base = env[ENV.OTLP_ENDPOINT];
  const ofTraces = env[OTLP_TRACES_ENDPOINT];
  if (!base && !ofTraces) return undefined;
  const [name, came] = ofTraces ? [OTLP_TRACES_ENDPOINT, ofTraces] : [ENV.OTLP_ENDPOINT, base ?? ''];
  const url = readHttpUrl(name, came);
  return {
    url: ofTraces ? url : `${url.replace(/\/+$/, '')}/v1/traces`,
    headers: readHeaders(OTLP_HEADERS, env[OTLP_HEADERS]),
    timeoutMs: readTimeout(OTLP_TIMEOUT, env[OTLP_TIMEOUT], OTLP_TIMEOUT_MS),
  };
}

/**
 * Checks the address of a service that may have a path.
 *
 * @param label what the address is called where it came from
 * @throws Error naming it, the expected value and the given one
 */
export function readHttpUrl(label: string, came: string): string {
  const url = URL.canParse(came) ? new URL(came) : undefined;
  const isPlain = url && !url.search && !url.hash && !url.username && !url.password;
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href;
  throw new Error(`${label}: expected an address such as https://host:4318, got ${JSON.stringify(came)}`);
}

/** `name=value,name=value`, percent-encoded. An error shows none of it, as it may hold a key. */
function readHeaders(name: string, came = ''): Record<string, string> {
  const pairs = came.split(',').filter((pair) => pair.trim() !== '');
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const [, key = '', value = ''] =
          /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x20-\x7e]*?)\s*$/.exec(pair) ?? [];
        if (key === '') throw new Error('no pair');
        return [key.toLowerCase(), decodeURIComponent(value)];
      }),
    );
  } catch {
    throw new Error(`${name}: expected name=value, separated by commas`);
  }
}

function readTimeout(name: string, came: string | undefined, byDefault: number): number {
  if (!came) return byDefault;
  if (/^[1-9]\d{0,4}$/.test(came)) return Number(came);
  throw new Error(`${name}: expected milliseconds from 1 to 99999, got ${JSON.stringify(came)}`);
}

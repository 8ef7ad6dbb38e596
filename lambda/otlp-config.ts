import { ENV } from './contract.ts';

/** A collector of OpenTelemetry traces. */
export interface OtlpTarget {
  /** The address that traces are posted to. */
  url: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
}

const OTLP_TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const OTLP_HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';
const OTLP_TIMEOUT = 'OTEL_EXPORTER_OTLP_TIMEOUT';

/**
 * The default is shorter than OpenTelemetry's 10 s, because an environment is billed while it waits for the collector.
 */
const OTLP_TIMEOUT_MS = 1000;

/**
 * Reads the variables that every exporter of OpenTelemetry has. They give the endpoint of all signals, to which a path
 * is added, or the endpoint of traces, which is used as it is.
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlp(env: Record<string, string | undefined>): OtlpTarget | undefined {
  const base = env[ENV.OTLP_ENDPOINT];
  const ofTraces = env[OTLP_TRACES_ENDPOINT];
  if (!base && !ofTraces) return undefined;
  const [name, given] = ofTraces ? [OTLP_TRACES_ENDPOINT, ofTraces] : [ENV.OTLP_ENDPOINT, base ?? ''];
  const url = readHttpUrl(name, given);
  return {
    url: ofTraces ? url : `${url.replace(/\/+$/, '')}/v1/traces`,
    headers: readHeaders(OTLP_HEADERS, env[OTLP_HEADERS]),
    timeoutMs: readTimeout(OTLP_TIMEOUT, env[OTLP_TIMEOUT], OTLP_TIMEOUT_MS),
  };
}

/**
 * Reads the address of a service, which may have a path.
 *
 * @param label the name of the variable or the prop, for the error
 * @throws Error naming the label, the expected value and the given one
 */
export function readHttpUrl(label: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isPlain = url && !url.search && !url.hash && !url.username && !url.password;
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href;
  throw new Error(`${label}: expected an address such as https://host:4318, got ${JSON.stringify(given)}`);
}

/** Reads `name=value,name=value`, percent-encoded. The error does not show the text, because it may contain a key. */
function readHeaders(name: string, given = ''): Record<string, string> {
  const pairs = given.split(',').filter((pair) => pair.trim() !== '');
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

function readTimeout(name: string, given: string | undefined, byDefault: number): number {
  if (!given) return byDefault;
  if (/^[1-9]\d{0,4}$/.test(given)) return Number(given);
  throw new Error(`${name}: expected milliseconds from 1 to 99999, got ${JSON.stringify(given)}`);
}

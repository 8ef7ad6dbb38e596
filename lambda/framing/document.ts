/** One document of an agent: a message, the data of a server-sent event, or a line. */
export interface Document {
  /** The text as the agent sent it. */
  text: string;
  /** The JSON value of the text; undefined if the text is not a JSON string, object or array. */
  value: unknown;
  /** The name of the server-sent event, in lower case. */
  event?: string;
}

/** The reason why a framing cannot split bytes into documents. */
export interface Problem {
  problem: string;
}

export type JsonObject = Record<string, unknown>;

export function documentOf(text: string): Document {
  return { text, value: parseJson(text) };
}

/** Returns the value of a text that is a JSON string, object or array, otherwise undefined. */
export function parseJson(text: string): unknown {
  // Most chunks are plain text, and JSON.parse would throw for each of them, which is expensive.
  if (!/^\s*["{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

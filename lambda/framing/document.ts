/** One document of an agent: a message, the data of a server-sent event, a line. */
export interface Document {
  /** As it was sent. */
  text: string;
  /** Its JSON value; undefined where the text is no JSON string, object or array. */
  value: unknown;
  /** Name of the server-sent event, in lower case. */
  event?: string;
}

/** What a framing finds in bytes that it cannot take apart. */
export interface Problem {
  problem: string;
}

export type JsonObject = Record<string, unknown>;

export function documentOf(text: string): Document {
  return { text, value: parseJson(text) };
}

/** The value of a text that is a JSON string, object or array, else undefined. */
export function parseJson(text: string): unknown {
  // Most chunks are plain text; JSON.parse would throw for each, which is dear.
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

/** The place of a reader: the request id of the answer, and the number of the last event that the reader has. */
export interface ReadingPlace {
  requestId: string;
  after: number;
}

/** Makes the `id` of a server-sent event. */
export function eventIdOf(requestId: string, number: number): string {
  return `${requestId}:${number}`;
}

/** Returns the place that an event id names; undefined for a text that is not one of our ids. */
export function placeOf(eventId: string | undefined): ReadingPlace | undefined {
  const [, requestId, number] = /^([\w-]{1,128}):(\d{1,9})$/.exec(eventId ?? '') ?? [];
  return requestId === undefined ? undefined : { requestId, after: Number(number) };
}

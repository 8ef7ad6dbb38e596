/** Where a reader of an answer is: which answer it reads, and which of its events it has. */
export interface ReadingPlace {
  requestId: string;
  after: number;
}

/** As server-sent events carry it in their `id`. */
export function eventIdOf(requestId: string, number: number): string {
  return `${requestId}:${number}`;
}

/** The place that an event id names; undefined for a text that is none of ours. */
export function placeOf(eventId: string | undefined): ReadingPlace | undefined {
  const [, requestId, number] = /^([\w-]{1,128}):(\d{1,9})$/.exec(eventId ?? '') ?? [];
  return requestId === undefined ? undefined : { requestId, after: Number(number) };
}

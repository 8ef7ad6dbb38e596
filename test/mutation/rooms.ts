/**
 * What is mutated, and the unit tests that hold it: names of files in test/unit. A mutant is tried against these alone, as
 * most of the unit tests import most of lambda/ and would take minutes for each.
 */
export const ROOMS: Record<string, { mutate: string[]; tests: string[] }> = {
  framing: {
    mutate: ['lambda/framing/*.ts'],
    tests: [
      'decoder-framing',
      'decoder-field-agents',
      'decoder-lines',
      'decoder-sse',
      'decoder.property',
      'utf8',
    ],
  },
  generic: {
    mutate: ['lambda/dialects/generic.ts'],
    tests: [
      'decoder-generic-json',
      'decoder-generic-asides',
      'decoder-generic-ends',
      'decoder-field-agents',
      'decoder-framing',
    ],
  },
  decoder: {
    mutate: ['lambda/answer/decoder.ts', 'lambda/answer/reading.ts'],
    tests: [
      'decoder-field-agents',
      'decoder-first',
      'decoder-framing',
      'decoder-lines',
      'decoder-sse',
      'decoder-surplus',
      'decoder.property',
      'dialects',
      'reading',
    ],
  },
  relay: {
    mutate: [
      'lambda/answer/relay.ts',
      'lambda/answer/response.ts',
      'lambda/answer/silence-filler.ts',
      'lambda/answer/cut.ts',
    ],
    tests: [
      'cut',
      'relay-batches',
      'relay-commit-point',
      'relay-end',
      'relay-heartbeat-and-nudge',
      'relay-limit-and-early-close',
      'relay-slow-reader',
    ],
  },
  native: {
    mutate: ['native', 'json', 'event-id', 'fields', 'invoke-request', 'sse-event'].map(
      (name) => `lambda/protocols/${name}.ts`,
    ),
    tests: [
      'ag-ui',
      'ag-ui-request',
      'invoke-request',
      'native-events',
      'native-replay',
      'request',
      'sse-json.property',
    ],
  },
  kits: {
    mutate: ['ag-ui', 'ag-ui-events', 'conversation', 'kit-errors', 'parts', 'ui-message-stream'].map(
      (name) => `lambda/protocols/${name}.ts`,
    ),
    tests: ['ag-ui', 'ag-ui-events', 'ag-ui-request', 'conversation', 'parts', 'ui-message-stream'],
  },
  sessions: {
    mutate: ['recording', 'answer-log', 'memory'].map((name) => `lambda/sessions/${name}.ts`),
    tests: ['answer-log', 'recording', 'recording-failures', 'memory-store'],
  },
};

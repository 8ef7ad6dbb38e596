/**
 * What is mutated, and the unit tests that hold it: names of files in test/unit, up to their first dot. A mutant is tried
 * against these alone, as most of the unit tests import most of lambda/ and would take minutes for each.
 */
export const ROOMS: Record<string, { mutate: string[]; tests: string[] }> = {
  framing: { mutate: ['lambda/framing/*.ts'], tests: ['decoder-framing', 'decoder', 'utf8'] },
  generic: {
    mutate: ['lambda/dialects/generic.ts'],
    tests: ['decoder-generic-json', 'decoder-field-agents', 'decoder-framing', 'agent-error'],
  },
  answer: {
    mutate: ['lambda/answer/*.ts', '!lambda/answer/invocation.ts'],
    tests: [
      'decoder-framing',
      'decoder-field-agents',
      'relay-commit-point',
      'relay-heartbeat-and-nudge',
      'relay-limit-and-early-close',
      'relay-slow-reader',
    ],
  },
  protocols: {
    mutate: ['lambda/protocols/*.ts'],
    tests: [
      'ag-ui',
      'ui-message-stream',
      'relay-commit-point',
      'relay-limit-and-early-close',
      'request',
      'sse-json',
    ],
  },
};

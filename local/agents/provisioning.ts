import { type Piece, recall, serveAgent } from './agent.ts';

const STEPS = [
  'Validating the template',
  'Creating the change set',
  'Creating the bucket',
  'Creating the distribution',
];

/** Deploys: text beside structured progress events, as JSON objects. */
serveAgent({
  *answer({ prompt, previous }): Generator<Piece> {
    yield `${recall(previous)}# Deploying "${prompt}"\n\n`;
    for (const [index, step] of STEPS.entries()) {
      yield `${index + 1}. ${step} …`;
      yield { type: 'progress', step: index + 1, of: STEPS.length, status: 'COMPLETE' };
      yield ' done\n';
    }
    yield `\n## Deployment summary\n\nThe stack for "${prompt}" is complete.\n`;
  },
  encode: (piece) => JSON.stringify(typeof piece === 'string' ? { type: 'chunk', content: piece } : piece),
  endMessage: JSON.stringify({ type: 'complete' }),
});

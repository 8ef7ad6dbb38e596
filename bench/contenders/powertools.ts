import { Router, streamify } from '@aws-lambda-powertools/event-handler/http';
import { streamOf } from './upstream.ts';

const app = new Router();
app.post('/', async ({ req }) => {
  const body = streamOf(await req.json());
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
});

export const handler = streamify(app);

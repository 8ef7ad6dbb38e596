import { Hono } from 'hono';
import { streamHandle } from 'hono/aws-lambda';
import { streamOf } from './upstream.ts';

const app = new Hono();
app.post('/', async (c) => {
  const body = streamOf(await c.req.json());
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
});

export const handler = streamHandle(app);

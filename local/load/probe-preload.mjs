// At SIGUSR2: collects what can be collected, then prints what is left as a line of JSON. At SIGWINCH: prints it as it is.
process.on('SIGUSR2', () => print(true));
process.on('SIGWINCH', () => print(false));

function print(collects) {
  // What callers keep open for their next request is theirs; it is gone when somebody asks the next time.
  for (const handle of process._getActiveHandles()) handle.closeIdleConnections?.();
  if (collects) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  let listeners = 0;
  for (const name of process.eventNames()) listeners += process.listenerCount(name);
  for (const handle of process._getActiveHandles()) {
    // ws hangs its WebSocket on the socket, by a symbol of its own.
    const webSocket = Object.getOwnPropertySymbols(handle).find(
      ({ description }) => description === 'websocket',
    );
    for (const emitter of [handle, handle[webSocket]]) {
      for (const name of emitter?.eventNames?.() ?? []) listeners += emitter.listenerCount(name);
    }
  }
  const held = { heapUsed, rssMb: Math.round(rss / 2 ** 20), resources, listeners };
  process.stdout.write(`${JSON.stringify({ held })}\n`);
}

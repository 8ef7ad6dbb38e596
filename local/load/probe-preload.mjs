// At SIGUSR2: collects what can be collected, then prints what is left as a line of JSON.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  let listeners = 0;
  for (const name of process.eventNames()) listeners += process.listenerCount(name);
  for (const handle of process._getActiveHandles()) {
    for (const name of handle.eventNames?.() ?? []) listeners += handle.listenerCount(name);
  }
  const held = { heapUsed, rssMb: Math.round(rss / 2 ** 20), resources, listeners };
  process.stdout.write(`${JSON.stringify({ held })}\n`);
});

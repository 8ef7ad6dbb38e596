// At SIGUSR2: collects what can be collected, then prints what is left as a line of JSON.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  let listeners = 0;
  for (const name of process.eventNames()) listeners += process.listenerCount(name);
  for (const handle of process._getActiveHandles()) {
    for (const name of handle.eventNames?.() ?? []) listeners += handle.listenerCount(name);
  }
  process.stdout.write(
    `${JSON.stringify({ afterCollection: { heapUsed, external, arrayBuffers, resources, listeners } })}\n`,
  );
});

/** How often the parent is looked for. */
const INTERVAL_MS = 200;

/**
 * Calls back when the process that started this one is gone. What runs `npm start` has the process id of npm, which
 * hands SIGINT and SIGTERM on, and nothing when it is hung up or killed: this server would hold its port for ever.
 *
 * @param parentPid the parent's process id, which npm's script gives; without one nothing is watched: who runs node has
 *   this process's own id
 */
export function onParentExit(parentPid: string | undefined, callback: () => void): void {
  if (parentPid === undefined) return;
  const timer = setInterval(() => {
    // A process whose parent ends gets another one, also where nobody has collected the parent's exit yet.
    if (process.ppid === Number(parentPid)) return;
    clearInterval(timer);
    callback();
  }, INTERVAL_MS);
  timer.unref();
}

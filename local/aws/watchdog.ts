import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills the processes it was told of when its standard input closes, that is when this process ends in whatever
 * way. A stopped (SIGSTOP) child cannot notice that its parent is gone.
 */
const SCRIPT = `
pids=" "
while read -r op pid; do
  case $op in
    add) pids="$pids$pid " ;;
    del) pids=$(printf '%s' "$pids" | sed "s/ $pid / /") ;;
  esac
done
kill -9 $pids 2>/dev/null
`;

export interface Watchdog {
  /** Watches a child until it exits. */
  watch(child: ChildProcess): void;
  /** Kills what is still alive. */
  close(): void;
}

export function startWatchdog(): Watchdog {
  // A process group of its own: a Ctrl-C in the terminal must not end it before its work.
  const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  shell.stdin.on('error', () => {});
  return {
    watch(child) {
      shell.stdin.write(`add ${child.pid}\n`);
      child.once('exit', () => shell.stdin.writable && shell.stdin.write(`del ${child.pid}\n`));
    },
    close: () => shell.stdin.end(),
  };
}

/**
 * Calls back after the sockets have been read. That takes two turns of the event loop: the current one may already have
 * polled before the data arrived. A timeout must ask here before it is reported, because in a process that stood still
 * (a frozen environment, SIGSTOP, a blocked loop) overdue timers run before the sockets are read.
 */
export function whenWaitingInputIsRead(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

/**
 * Calls back when what waits in the sockets has been read, which is so after two turns of the event loop: the first
 * may have begun, and polled, before it came. Whoever judges by a clock that nothing has come asks here first: in a
 * process that stood still (a frozen environment, SIGSTOP, a blocked loop) the timers that are due run before the
 * sockets are looked at.
 */
export function whenWaitingInputIsRead(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

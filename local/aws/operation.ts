import type { Socket } from 'node:net';
import type { FaultBox } from '../faults/data-plane-faults.ts';
import type { RuntimeSessions } from './runtime-sessions.ts';
import type { Quotas } from './websocket-proxy.ts';

/** A WebSocket through the data plane. */
export interface DataPlaneConnection {
  runtimeArn: string;
  qualifier: string;
  sessionId: string;
  /** Milliseconds since the epoch. */
  openedAt: number;
  socket: Socket;
}

/** What the operations of the emulated data plane have in common. */
export interface Service {
  quotas: Quotas;
  sessions: RuntimeSessions;
  faults: FaultBox;
  /** The WebSockets that are open. */
  connections: Set<DataPlaneConnection>;
  /** How many upgrades were accepted so far. */
  upgrades: number;
  /** Milliseconds since the epoch. */
  clock(): number;
  /** Resets the TCP connection below a socket. */
  reset(socket: Socket): void;
}

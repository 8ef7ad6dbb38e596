import { readLogLevel, readTraceId } from '../config.ts';
import { printable, type WriteLine } from './log-line.ts';

/** As Powertools ranks them; FATAL is Lambda's word for CRITICAL. */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT'];

/**
 * Writes lines as Powertools does, and as long as it is not loaded: at once, with the same keys. Synchronously, so
 * that a process that dies has left them.
 */
export function plainLog(serviceName: string): WriteLine {
  const threshold = LEVELS.indexOf(readLogLevel());
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < threshold) return;
    const traceId = readTraceId();
    const line = {
      level,
      message,
      timestamp: new Date().toISOString(),
      service: serviceName,
      ...(traceId && { xray_trace_id: traceId }),
      ...fields,
    };
    process.stdout.write(`${JSON.stringify(line, printable)}\n`);
  };
}

/** Resolves when every line has left the process: a pipe is full where its reader is behind. */
export function flushLog(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()));
}

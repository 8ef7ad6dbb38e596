import { readLogLevel, readTraceId } from '../config.ts';
import { isPrintable, printable, type WriteLine } from './log-line.ts';

/** The levels in the order of Powertools. Lambda calls CRITICAL FATAL. */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT'];

/**
 * Writes lines with the same keys as Powertools, while Powertools is not loaded. Each line is written synchronously, so
 * that it is not lost when the process dies.
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
    const json = JSON.stringify(line);
    process.stdout.write(`${isPrintable(json) ? json : JSON.stringify(line, printable)}\n`);
  };
}

/** Resolves when every line has left the process. Lines wait while their reader is behind and the pipe is full. */
export function flushLog(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()));
}

import { destination, pino } from 'pino';
import type { Logger, LogLevel } from '../logging/logger.ts';

/** JSON lines on standard output, written at once: the last words of a crash must not be lost in a buffer. */
export function createLogger(component: string, level: LogLevel = 'info'): Logger {
  return pino(
    { level, base: { component }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ fd: 1, sync: true }),
  );
}

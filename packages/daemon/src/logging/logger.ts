import { destination, pino } from 'pino';

/** Fields of a log line; errors go under `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What components log through: structured fields first, then a sentence. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `bindings` to each of its lines. */
  child(bindings: LogFields): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard output, written at once: the last words of a crash must not be lost in a buffer. */
export function createLogger(component: string, level: LogLevel = 'info'): Logger {
  return pino(
    { level, base: { component }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ fd: 1, sync: true }),
  );
}

/** Says nothing; for tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

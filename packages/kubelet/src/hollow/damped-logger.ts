// When the API server is away, thousands of nodes have the same complaint several times a second. It is written once in
// a while, with the number of those that were not.
import type { Clock, LogFields, Logger } from '@wherry/daemon';

const everyMs = 5_000;
/** Different messages remembered; the oldest goes first. */
const messagesMax = 256;

interface Said {
  atMs: number;
  suppressed: number;
}

export function dampedLogger(logger: Logger, clock: Clock): Logger {
  return damp(logger, clock, new Map());
}

function damp(logger: Logger, clock: Clock, said: Map<string, Said>): Logger {
  return {
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    error: logger.error.bind(logger),
    warn: (fields: LogFields, message: string) => {
      const nowMs = clock.monotonicMs();
      const last = said.get(message);
      if (last !== undefined && nowMs - last.atMs < everyMs) {
        last.suppressed++;
        return;
      }
      said.delete(message);
      said.set(message, { atMs: nowMs, suppressed: 0 });
      const oldest = said.keys().next().value;
      if (said.size > messagesMax && oldest !== undefined) said.delete(oldest);
      logger.warn(last === undefined ? fields : { ...fields, suppressed: last.suppressed }, message);
    },
    child: (bindings: LogFields) => damp(logger.child(bindings), clock, said),
  };
}

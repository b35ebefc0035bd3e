import type { Clock } from '../clock/clock.ts';
import { describeFlags, FlagError, type FlagSpec, type FlagValues, parseFlags } from '../flags/flags.ts';
import type { Logger, LogLevel } from '../logging/logger.ts';
import { createMetrics, type Metrics } from '../ops/metrics.ts';
import type { Random } from '../random/random.ts';
import { Scope } from '../scope/scope.ts';
import { collectWhenIdle } from './idle-heap.ts';
import { createLogger } from './pino-logger.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/** How long a daemon may take to end after its first signal. */
const SHUTDOWN_MS_MAX = 10_000;

/** What a daemon is given by its host. */
export interface Host {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Closes on the first signal; a failure of work started directly in it ends the process. */
  readonly scope: Scope;
  /** Ends the process in an orderly way with an exit code, for example when leadership is lost. */
  exit(code: number, reason: string): void;
}

export interface Daemon<S extends FlagSpec> {
  /** Upstream's component name, for example `kube-scheduler`. */
  readonly name: string;
  readonly flags: S;
  start(flags: FlagValues<S>, host: Host): Promise<void>;
}

const commonFlags = {
  v: { kind: 'integer', default: 2, min: 0, max: 10, help: 'log verbosity; 4 and more logs debug lines' },
} as const satisfies FlagSpec;

/**
 * Runs a daemon as this process: flags from argv and environment, logs on standard output, first SIGTERM or SIGINT
 * closes its scope with a deadline, the second exits at once. A crash is logged and exits with 1.
 */
export function runDaemon<const S extends FlagSpec>(daemon: Daemon<S>): void {
  const argv = process.argv.slice(2);
  const spec: S & typeof commonFlags = { ...commonFlags, ...daemon.flags };
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${daemon.name}\n\n${describeFlags(spec)}\n`);
    return;
  }
  const flags = parseOrExit(spec, argv, daemon.name);
  const level: LogLevel = Number(flags['v']) >= 4 ? 'debug' : 'info';
  const logger = createLogger(daemon.name, level);
  const crash = (error: unknown, what: string): never => {
    logger.error({ err: error }, what);
    process.exit(1);
  };
  const scope = new Scope(daemon.name, logger, (work, error) => crash(error, `${work} failed`));
  let ending = false;
  const exit = (code: number, reason: string): void => {
    if (ending) return;
    ending = true;
    logger.info({ reason, code }, 'stopping');
    setTimeout(
      () => crash(new Error(`still running ${SHUTDOWN_MS_MAX} ms after being told to stop`), 'stop failed'),
      SHUTDOWN_MS_MAX,
    ).unref();
    const startedMs = systemClock.monotonicMs();
    void scope.close().then(() => {
      logger.info({ code, tookMs: Math.round(systemClock.monotonicMs() - startedMs) }, 'stopped');
      process.exit(code);
    });
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => (ending ? process.exit(130) : exit(0, name)));
  }
  process.on('uncaughtException', (error) => crash(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => crash(error, 'unhandled rejection'));
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  const host: Host = { clock: systemClock, random: systemRandom, logger, metrics, scope, exit };
  collectWhenIdle();
  daemon.start(flags, host).catch((error: unknown) => {
    if (!ending) crash(error, 'start failed');
  });
}

function parseOrExit<S extends FlagSpec>(spec: S, argv: readonly string[], name: string): FlagValues<S> {
  try {
    return parseFlags(spec, argv, process.env);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${name}: ${error.problems.join(`\n${name}: `)}\nSee ${name} --help\n`);
    process.exit(2);
  }
}

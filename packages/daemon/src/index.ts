export { type Clock, pause, rfc3339, rfc3339Micro, sleepOn, type Timer } from './clock/clock.ts';
export { VirtualClock } from './clock/virtual-clock.ts';
export { formatDuration, parseDuration } from './flags/duration.ts';
export {
  type BooleanFlag,
  type DurationFlag,
  describeFlags,
  type Flag,
  FlagError,
  type FlagSpec,
  type FlagValues,
  type IntegerFlag,
  type ListFlag,
  parseFlags,
  type StringFlag,
} from './flags/flags.ts';
export { createLogger } from './host/pino-logger.ts';
export { type Daemon, type Host, runDaemon } from './host/run-daemon.ts';
export { systemClock } from './host/system-clock.ts';
export { systemRandom } from './host/system-random.ts';
export { type LogFields, type Logger, type LogLevel, silentLogger } from './logging/logger.ts';
export { Health, type HealthCheck } from './ops/health.ts';
export { createMetrics, type Metrics } from './ops/metrics.ts';
export { type OpsServer, type OpsServerOptions, startOpsServer } from './ops/ops-server.ts';
export { jitter, type Random, randomSuffix, seededRandom } from './random/random.ts';
export { type OnFailure, Scope, ScopeClosed } from './scope/scope.ts';

import { type FlagSpec, type FlagValues, formatDuration } from '@wherry/daemon';
import type { Thresholds } from '../health/backend-health.ts';
import { type Address, parseAddress } from './address.ts';

export const BACKENDS_MAX = 64;
/** The host gives a daemon 10 s to end; what is left is for closing. */
const SHUTDOWN_GRACE_MS_MAX = 9_000;
/** Below, a healthy server on a busy machine would be called silent. */
const CHECK_TIMEOUT_MS_MIN = 20;
const CHECK_INTERVAL_MS_MIN = 10;

export const flags = {
  listen: { kind: 'list', help: 'HOST:PORT to accept clients on; may be repeated' },
  backend: { kind: 'list', help: `HOST:PORT of an API server; repeated for each, at most ${BACKENDS_MAX}` },
  'backend-ca-file': { kind: 'string', help: 'authority that must have signed the certificates of backends' },
  'backend-server-name': {
    kind: 'string',
    optional: true,
    help: "name the backends' certificates are checked for; the host of --backend when not given",
  },
  'health-check-path': { kind: 'string', default: '/readyz', help: 'answers 200 when a backend wants clients' },
  'liveness-check-path': {
    kind: 'string',
    default: '/livez',
    help: 'asked when the health check is slow: tells a waiting backend from a dead one',
  },
  'health-check-interval': { kind: 'duration', default: 250, help: 'between the starts of two checks of a backend' },
  'health-check-timeout': { kind: 'duration', default: 650, help: 'a backend that is silent for so long is down' },
  'unhealthy-threshold': { kind: 'integer', default: 2, min: 1, max: 100, help: 'bad answers in a row that matter' },
  'healthy-threshold': { kind: 'integer', default: 2, min: 1, max: 100, help: 'good answers in a row that matter' },
  'unready-fallback': {
    kind: 'boolean',
    default: true,
    help: 'when no backend is ready, use those that are alive (without, their clients are refused)',
  },
  'end-streams-when-down': {
    kind: 'boolean',
    default: true,
    help: 'end the connections to a backend that is declared down, which would hang if it is paused or unreachable',
  },
  'max-connections': {
    kind: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    help: 'clients at once; more are refused',
  },
  'connect-timeout': { kind: 'duration', default: 2_000, help: 'for a connection to a backend' },
  'tcp-keepalive': { kind: 'duration', default: 30_000, help: 'silence after which the kernel asks if a peer lives' },
  'shutdown-grace-period': {
    kind: 'duration',
    default: 3_000,
    help: `how long open connections may go on after a stop, at most ${formatDuration(SHUTDOWN_GRACE_MS_MAX)}`,
  },
  'healthz-bind-address': {
    kind: 'string',
    default: '127.0.0.1:10261',
    help: 'address of /healthz, /livez, /readyz and /metrics',
  },
} as const satisfies FlagSpec;

export interface CheckTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface Config {
  readonly listen: readonly Address[];
  readonly backends: readonly Address[];
  readonly health: Address;
  readonly check: CheckTimes;
  readonly thresholds: Thresholds;
  readonly graceMs: number;
}

/** @throws Error with a line for every flag that makes no sense */
export function readConfig(values: FlagValues<typeof flags>): Config {
  const problems: string[] = [];
  const address = (flag: string, text: string, portMin: number): Address => {
    const found = parseAddress(text, portMin);
    if (found === undefined) problems.push(`--${flag} is "${text}", must be HOST:PORT`);
    return found ?? { host: text, port: 0, text };
  };
  const addresses = (flag: 'listen' | 'backend', portMin: number): Address[] => {
    const found = values[flag].map((text) => address(flag, text, portMin));
    const texts = found.map(({ text }) => text);
    for (const text of new Set(texts.filter((text, index) => texts.indexOf(text) !== index))) {
      if (!text.endsWith(':0')) problems.push(`--${flag} ${text} is given twice`);
    }
    return found;
  };
  const config: Config = {
    listen: addresses('listen', 0),
    backends: addresses('backend', 1),
    health: address('healthz-bind-address', values['healthz-bind-address'], 0),
    check: { intervalMs: values['health-check-interval'], timeoutMs: values['health-check-timeout'] },
    thresholds: { unhealthy: values['unhealthy-threshold'], healthy: values['healthy-threshold'] },
    graceMs: values['shutdown-grace-period'],
  };
  problems.push(...problemsOf(config, values));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config;
}

function problemsOf(config: Config, values: FlagValues<typeof flags>): string[] {
  const problems: string[] = [];
  if (config.listen.length === 0) problems.push('--listen is empty, must name an address');
  if (config.backends.length === 0) problems.push('--backend is empty, must name an address');
  if (config.backends.length > BACKENDS_MAX) {
    problems.push(`--backend is given ${config.backends.length} times, at most ${BACKENDS_MAX} are served`);
  }
  for (const { text } of config.backends) {
    if (config.listen.some((own) => own.text === text)) problems.push(`--backend ${text} is this balancer itself`);
  }
  const durations: readonly [string, number, number, number][] = [
    ['health-check-interval', config.check.intervalMs, CHECK_INTERVAL_MS_MIN, 3_600_000],
    ['health-check-timeout', config.check.timeoutMs, CHECK_TIMEOUT_MS_MIN, 3_600_000],
    ['connect-timeout', values['connect-timeout'], 1, 3_600_000],
    ['tcp-keepalive', values['tcp-keepalive'], 1_000, 32_767_000],
    ['shutdown-grace-period', config.graceMs, 0, SHUTDOWN_GRACE_MS_MAX],
  ];
  for (const [flag, ms, minMs, maxMs] of durations) {
    if (ms >= minMs && ms <= maxMs) continue;
    problems.push(
      `--${flag} is ${formatDuration(ms)}, must be from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`,
    );
  }
  for (const flag of ['health-check-path', 'liveness-check-path'] as const) {
    if (!/^\/[!-~]*$/.test(values[flag])) problems.push(`--${flag} is "${values[flag]}", must be a path`);
  }
  return problems;
}

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ObservedDaemon } from './records.ts';
import type { DaemonSpec, Probe } from './spec.ts';

/** One line of `wherry status`; the field names are those of `-o json`. */
export interface DaemonStatus {
  readonly name: string;
  readonly kind: DaemonSpec['kind'];
  /** 0 when it does not run. */
  readonly pid: number;
  readonly addresses: readonly string[];
  readonly healthy: boolean;
  readonly leader: boolean;
}

const ANSWER_MS_MAX = 1000;
const BODY_BYTES_MAX = 8 << 20;

/** Asks all daemons at once how they are. One that does not answer within a second is unhealthy. */
export function daemonStatuses(daemons: readonly ObservedDaemon[]): Promise<readonly DaemonStatus[]> {
  return Promise.all(
    daemons.map(async ({ record, state }) => {
      const { name, kind, addresses, probe } = record.spec;
      const asked = state === 'running' ? await Promise.all([isHealthy(probe), isLeader(probe)]) : [false, false];
      const [healthy = false, leader = false] = asked;
      return { name, kind, pid: state === 'gone' ? 0 : record.process.pid, addresses, healthy, leader };
    }),
  );
}

async function isHealthy(probe: Probe): Promise<boolean> {
  return (await askProbe(probe, '/healthz'))?.status === 200;
}

async function isLeader(probe: Probe): Promise<boolean> {
  if (probe.leaderMetric === undefined) return false;
  const answer = await askProbe(probe, '/metrics');
  return answer !== undefined && new RegExp(`^${probe.leaderMetric}(\\{[^}]*\\})? 1$`, 'm').test(answer.body);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** @returns undefined when there is no answer, which is an answer too */
export function askProbe(probe: Probe, path: string): Promise<Answer | undefined> {
  // Only asked whether it is well: nothing secret is sent, and any certificate will do.
  const options = {
    host: probe.host,
    port: probe.port,
    path,
    agent: false as const,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  };
  return new Promise((resolve) => {
    const send = probe.scheme === 'https' ? httpsRequest : httpRequest;
    const request = send(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        if (body.length < BODY_BYTES_MAX) body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
    request.end();
  });
}

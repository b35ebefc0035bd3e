// Runs one probe once. Whatever goes wrong on the way is a failure of the probe, with upstream's words.
import { connect } from 'node:net';
import type { Container, Probe } from '@wherry/api';
import type { Clock } from '@wherry/daemon';
import { type ProbeResult, probeTiming } from '../plan/probe-state.ts';
import type { ProbeKind } from '../plan/probe-verdicts.ts';
import { DeadlineExceeded, withDeadline } from '../pods/deadline.ts';
import { type Runtime, RuntimeError } from '../runtime/port.ts';
import { httpGet, httpHeaders, httpUrl, portNumber } from './http-probe.ts';

export interface ProbeTarget {
  readonly kind: ProbeKind;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Asks a container how it is; hollow nodes answer for theirs. */
export type RunProbe = (probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

/** Failure texts end up in events; upstream cuts there too. */
const outputCharsMax = 10_240;

function connectionWords(error: unknown): string {
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'ECONNREFUSED') return 'connect: connection refused';
    if (error.code === 'EHOSTUNREACH') return 'connect: no route to host';
    if (error.code === 'ECONNRESET') return 'read: connection reset by peer';
    if (error.code === 'ETIMEDOUT') return 'i/o timeout';
  }
  return error instanceof Error ? error.message : String(error);
}

async function probeHttp(probe: Probe, target: ProbeTarget, clock: Clock, signal: AbortSignal): Promise<ProbeResult> {
  const action = probe.httpGet;
  if (action === undefined) return { kind: 'error', message: 'no HTTP action' };
  const url = httpUrl(action, target.container, target.podIp);
  const address = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  try {
    const answer = await withDeadline(clock, probeTiming(probe).timeoutMs, signal, (inner) =>
      httpGet(url, httpHeaders(action), inner),
    );
    if (answer.status >= 200 && answer.status < 400) return { kind: 'success', output: answer.body };
    return { kind: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` };
  } catch (error) {
    signal.throwIfAborted();
    const why =
      error instanceof DeadlineExceeded
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : `dial tcp ${address}: ${connectionWords(error)}`;
    return { kind: 'failure', output: `Get "${url.href}": ${why}` };
  }
}

function dial(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('connect', () => {
      resolve();
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function probeTcp(probe: Probe, target: ProbeTarget, clock: Clock, signal: AbortSignal): Promise<ProbeResult> {
  const action = probe.tcpSocket;
  if (action === undefined) return { kind: 'error', message: 'no TCP action' };
  const host = action.host ? action.host : target.podIp;
  const port = portNumber(target.container, action.port);
  try {
    await withDeadline(clock, probeTiming(probe).timeoutMs, signal, (inner) => dial(host, port, inner));
    return { kind: 'success', output: '' };
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof DeadlineExceeded ? 'i/o timeout' : connectionWords(error);
    return { kind: 'failure', output: `dial tcp ${host}:${port}: ${why}` };
  }
}

async function probeExec(probe: Probe, target: ProbeTarget, runtime: Runtime): Promise<ProbeResult> {
  const command = probe.exec?.command ?? [];
  const { timeoutMs } = probeTiming(probe);
  try {
    const { exitCode, output } = await runtime.exec(target.containerId, command, timeoutMs);
    const text = output.slice(0, outputCharsMax);
    return exitCode === 0 ? { kind: 'success', output: text } : { kind: 'failure', output: text };
  } catch (error) {
    if (error instanceof RuntimeError && error.failure === 'timeout') {
      return {
        kind: 'failure',
        output: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`,
      };
    }
    return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
  }
}

export function realProber(runtime: Runtime, clock: Clock): RunProbe {
  return async (probe, target, signal) => {
    try {
      if (probe.exec !== undefined) return await probeExec(probe, target, runtime);
      if (probe.httpGet !== undefined) return await probeHttp(probe, target, clock, signal);
      if (probe.tcpSocket !== undefined) return await probeTcp(probe, target, clock, signal);
      return { kind: 'error', message: 'missing probe handler: only exec, httpGet and tcpSocket are supported' };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
    }
  };
}

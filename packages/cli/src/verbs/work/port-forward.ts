import { createServer, type Server, type Socket } from 'node:net';
import { type Pod, resources } from '@wherry/api';
import { objectPath, pollUntil } from '@wherry/client';
import { WebSocket } from 'ws';
import type { Context } from '../../context.ts';
import { durationMs } from '../../kube/durations.ts';
import { type ForwardedPort, parsePorts, podPort, servicePort } from '../../kube/forwarded-ports.ts';
import { podsOf } from '../../kube/pods-of.ts';
import { onRefused, openSocket } from '../../kube/server-socket.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { PortForwardFlags } from '../port-forward.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;
/** Each channel's first message is the port's number, in two bytes. */
const HEADER_BYTES = 3;
/** Unsent bytes of a connection at which reading it pauses. */
const BUFFERED_BYTES_MAX = 1024 * 1024;
const POLL_MS = 250;

export function portForward(
  context: Context,
  target: string | undefined,
  words: readonly string[],
  flags: PortForwardFlags,
): Promise<void> {
  if (target === undefined || words.length === 0) {
    throw new VerbError(
      "TYPE/NAME and list of ports are required for port-forward\nSee 'wherry port-forward -h' for help and examples",
    );
  }
  return withSession(context, flags, async (session) => {
    const pod = await runningPod(context, session, target, flags);
    const ports = parsePorts(words, await portReader(session, target, pod));
    const addresses = (flags.address ?? ['localhost']).flatMap((address) =>
      address === 'localhost' ? ['127.0.0.1', '::1'] : [address],
    );
    const servers: Server[] = [];
    try {
      for (const port of ports) servers.push(...(await listenAll(context, session, pod, port, addresses)));
      await new Promise<void>((resolve) => {
        if (context.signal.aborted) resolve();
        context.signal.addEventListener('abort', () => resolve());
      });
      process.exitCode = 130;
    } finally {
      for (const server of servers) server.close();
    }
  });
}

async function runningPod(context: Context, session: Session, target: string, flags: PortForwardFlags): Promise<Pod> {
  const { clock, signal } = context;
  const untilMs = clock.monotonicMs() + durationMs('--pod-running-timeout', flags.podRunningTimeout);
  let pod: Pod | undefined;
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    [pod] = await podsOf(session, target, undefined);
    const phase = pod?.status?.phase;
    if (phase === 'Running') return true;
    if (phase === 'Succeeded' || phase === 'Failed' || clock.monotonicMs() >= untilMs) {
      throw new VerbError(`unable to forward port because pod is not running. Current status=${phase ?? 'no pod'}`);
    }
    return false;
  });
  if (!done || pod === undefined) throw signal.reason;
  return pod;
}

async function portReader(session: Session, target: string, pod: Pod): Promise<(text: string) => number> {
  const [type = '', name = ''] = target.split('/');
  if (name === '' || (await session.discovery.find(type)).resource !== 'services') return (text) => podPort(pod, text);
  const service = await session.client.get(resources.services, name, { namespace: session.namespace });
  return (text) => servicePort(service, pod, text);
}

/** At least one of the addresses must be free: a machine may lack one of the two loopbacks. */
async function listenAll(
  context: Context,
  session: Session,
  pod: Pod,
  port: ForwardedPort,
  addresses: readonly string[],
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  const failures: Error[] = [];
  let { local } = port;
  for (const address of addresses) {
    try {
      const server = await listen(context, session, pod, { ...port, local }, address);
      servers.push(server);
      const bound = server.address();
      // Both loopbacks get the same port.
      if (typeof bound === 'object' && bound !== null) local = bound.port;
      const shown = address.includes(':') ? `[${address}]` : address;
      context.terminal.out(`Forwarding from ${shown}:${local} -> ${port.remote}`);
    } catch (error) {
      failures.push(error as Error);
    }
  }
  if (servers.length === 0) {
    const texts = failures.map(({ message }) => message).join(' ');
    throw new VerbError(`unable to listen on any of the requested ports: ${port.local}: ${texts}`, {
      cause: failures[0],
    });
  }
  return servers;
}

function listen(context: Context, session: Session, pod: Pod, port: ForwardedPort, address: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    context.terminal.out(`Handling connection for ${port.local}`);
    forward(context, session, pod, port, socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port.local, address, () => resolve(server));
  });
}

/** Carries one connection: a WebSocket of its own, so that a slow one holds up no other. */
function forward(context: Context, session: Session, pod: Pod, port: ForwardedPort, local: Socket): void {
  const { name = '', namespace } = pod.metadata ?? {};
  const path = `${objectPath(resources.pods, name, namespace, 'portforward')}?ports=${port.remote}`;
  const remote = openSocket(session, path, [PROTOCOL]);
  const fail = (message: string): void => {
    context.terminal.err(`error: an error occurred forwarding ${port.local} -> ${port.remote}: ${message}`);
    local.destroy();
    remote.terminate();
  };
  onRefused(remote, (error) => fail(error.message));
  remote.on('open', () => local.resume());
  const begun = new Set<number>();
  remote.on('message', (data: Buffer) => {
    const channel = data[0] ?? DATA;
    // The header, which may not come with the first data.
    const payload = begun.has(channel) ? data.subarray(1) : data.subarray(HEADER_BYTES);
    begun.add(channel);
    if (payload.length === 0) return;
    if (channel === ERROR) return fail(payload.toString('utf8'));
    if (!local.write(payload)) {
      remote.pause();
      local.once('drain', () => remote.resume());
    }
  });
  remote.on('close', () => local.end());
  local.on('data', (chunk: Buffer) => {
    if (remote.readyState !== WebSocket.OPEN) return;
    local.pause();
    remote.send(Buffer.concat([Buffer.of(DATA), chunk]), () => {
      if (remote.bufferedAmount < BUFFERED_BYTES_MAX) local.resume();
    });
  });
  // The protocol cannot say that only one side has ended: an ended reader is told what is left, until all is over.
  local.on('close', () => remote.close());
  local.on('error', () => remote.terminate());
  context.signal.addEventListener('abort', () => {
    local.destroy();
    remote.terminate();
  });
}

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { Context } from '../context.ts';
import { runProgram } from '../daemons/run-program.ts';
import { Failure } from '../failure.ts';

/** A host and port, as `wherry join` is given them. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws Failure when the text is neither `host:port` nor `[address]:port` */
export function parseEndpoint(text: string): Endpoint {
  const [, bracketed, plain, portText = ''] = /^(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(portText)];
  if (host === undefined || port < 1 || port > 65_535)
    throw new Failure(`Cannot join "${text}": give the API server as HOST:PORT, for example 192.0.2.11:6443`);
  return { host, port };
}

/** The address from which this host speaks to the endpoint: the one by which others reach it. Nothing is sent. */
export async function addressTowards({ host, port }: Endpoint): Promise<string> {
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return socket.address().address;
  } catch (cause) {
    throw new Failure(`Cannot find a way to ${host}`, { cause });
  } finally {
    socket.close();
  }
}

/** @throws Failure when the text cannot be a node's name */
export function checkNodeName(name: string): string {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) || name.length > 253) {
    throw new Failure(
      `Cannot name a node "${name}": use lower case letters, digits, "-" and ".", with a letter or digit at both ends`,
    );
  }
  return name;
}

/** The kubelet's marks in the kernel (packages/kubelet/src/plan/network-rules.ts). */
const NODE_TABLE = 'ip wherry-node';
const ROUTE_PROTOCOL = '87';

/** Removes what kubelet and proxy leave in the kernel of a host that is a node itself; nothing without their marks. */
export async function removeNetworkTraces(context: Context, proxyProgram: string): Promise<void> {
  await runProgram(context.node, [proxyProgram, '--cleanup'], context);
  // Added first: a table that is not there could not be deleted.
  await runProgram('nft', [`add table ${NODE_TABLE}; delete table ${NODE_TABLE}`], context);
  await runProgram('ip', ['-4', 'route', 'flush', 'proto', ROUTE_PROTOCOL], context);
}

import { endpointsOf } from './difference.ts';
import type { ServiceRule } from './service-rules.ts';

/** Flows of the kernel's connection table that share destination and the address that answers. */
export interface UdpFlow {
  /** The address and port the client sent to. */
  readonly address: string;
  readonly port: number;
  /** The address answers come from: an endpoint, or `address` itself while nothing translated the flow. */
  readonly answeredBy: string;
}

/** Reads the lines of `conntrack -L -p udp`; each distinct flow once. */
export function parseUdpFlows(text: string): readonly UdpFlow[] {
  const flows = new Map<string, UdpFlow>();
  for (const line of text.split('\n')) {
    const match = /^udp\s.*? src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) /.exec(line);
    if (match === null) continue;
    const [, address = '', port = '', answeredBy = ''] = match;
    flows.set(`${address} ${port} ${answeredBy}`, { address, port: Number(port), answeredBy });
  }
  return [...flows.values()];
}

/**
 * The flows that must be forgotten. UDP has no close, and the kernel goes on with the first packet's translation as
 * long as the client keeps sending: to an endpoint that is gone, or to nowhere when the service had none yet.
 * @param localAddresses this node's addresses: only there is a port number a NodePort
 */
export function staleUdpFlows(
  flows: readonly UdpFlow[],
  rules: Iterable<ServiceRule>,
  localAddresses: ReadonlySet<string>,
): readonly UdpFlow[] {
  const doors = new Map<string, ReadonlySet<string>>();
  for (const rule of rules) {
    if (rule.protocol !== 'udp') continue;
    const inside = addressesOf(rule, ['internal']);
    const outside = addressesOf(rule, rule.keepsClientAddress ? ['external', 'shortcut'] : ['external']);
    doors.set(`${rule.clusterIp} ${rule.port}`, inside);
    for (const ip of rule.externalIps) doors.set(`${ip} ${rule.port}`, outside);
    if (rule.nodePort === 0) continue;
    for (const ip of localAddresses) doors.set(`${ip} ${rule.nodePort}`, outside);
  }
  return flows.filter((flow) => {
    const endpoints = doors.get(`${flow.address} ${flow.port}`);
    // Without endpoints nothing is translated, and being refused is what the flow should meet.
    return endpoints !== undefined && !endpoints.has(flow.answeredBy) && !(endpoints.size === 0 && untranslated(flow));
  });
}

function untranslated(flow: UdpFlow): boolean {
  return flow.answeredBy === flow.address;
}

function addressesOf(rule: ServiceRule, doors: readonly ('internal' | 'external' | 'shortcut')[]): ReadonlySet<string> {
  return new Set(doors.flatMap((door) => endpointsOf(rule[door]).map((endpoint) => endpoint.ip)));
}

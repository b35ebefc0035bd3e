import { describe, expect, it } from 'vitest';
import type { ServiceRule } from './service-rules.ts';
import { parseUdpFlows, staleUdpFlows } from './udp-flows.ts';

const rule: ServiceRule = {
  key: 'kube-system/kube-dns:dns/udp',
  protocol: 'udp',
  port: 53,
  clusterIp: '10.96.0.10',
  nodePort: 30053,
  externalIps: [],
  affinitySeconds: 0,
  internal: { kind: 'forward', endpoints: [{ ip: '172.18.0.1', port: 10053 }] },
  external: { kind: 'forward', endpoints: [{ ip: '172.18.0.1', port: 10053 }] },
  keepsClientAddress: false,
  shortcut: { kind: 'reject' },
};
const nothing = { kind: 'reject' } as const;

describe('parseUdpFlows', () => {
  it('reads replied and unreplied flows, each once', () => {
    const line = (sport: number, state: string, by: string) =>
      `udp      17 29 src=10.244.1.5 dst=10.96.0.10 sport=${sport} dport=53 ${state}src=${by} dst=10.244.1.5 sport=10053 dport=${sport} mark=0 use=1`;
    const text = [
      line(4000, '', '172.18.0.1'),
      line(4001, '[UNREPLIED] ', '172.18.0.1'),
      line(4002, '[UNREPLIED] ', '10.96.0.10'),
      'tcp 6 …',
    ];
    expect(parseUdpFlows(text.join('\n'))).toEqual([
      { address: '10.96.0.10', port: 53, answeredBy: '172.18.0.1' },
      { address: '10.96.0.10', port: 53, answeredBy: '10.96.0.10' },
    ]);
  });
});

describe('staleUdpFlows', () => {
  const local = new Set(['172.18.0.2']);
  it.each<[string, string, number, string, Partial<ServiceRule>, boolean]>([
    ['an endpoint that is still there', '10.96.0.10', 53, '172.18.0.1', {}, false],
    ['an endpoint that is gone', '10.96.0.10', 53, '172.18.0.9', {}, true],
    ['from before the first endpoint', '10.96.0.10', 53, '10.96.0.10', {}, true],
    ['refused, and still without endpoints', '10.96.0.10', 53, '10.96.0.10', { internal: nothing }, false],
    ['to the last endpoint, gone', '10.96.0.10', 53, '172.18.0.1', { internal: nothing }, true],
    ['through a node port', '172.18.0.2', 30053, '172.18.0.9', {}, true],
    ['the same port number of another machine', '8.8.8.8', 30053, '8.8.8.8', {}, false],
    ['another service', '10.96.0.11', 53, '172.18.0.9', {}, false],
  ])('%s', (_, address, port, answeredBy, more, stale) => {
    const flow = { address, port, answeredBy };
    expect(staleUdpFlows([flow], [{ ...rule, ...more }], local)).toEqual(stale ? [flow] : []);
  });
});

import type { Node } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { nextAddress, type PodRange, podRange } from './ipam.ts';
import {
  attachOnNode,
  defaultLink,
  linkMtu,
  nodeRuleset,
  parseRoutes,
  routeChanges,
  routesToNodes,
  vethName,
} from './network-rules.ts';

const range = (cidr: string): PodRange => {
  const found = podRange(cidr);
  if (found === undefined) throw new Error(`no range ${cidr}`);
  return found;
};

describe('pod addresses', () => {
  it('gives out all but network, gateway and broadcast, in turn', () => {
    const small = range('10.1.2.0/29');
    const taken = new Set<string>();
    let last: string | undefined;
    for (let count = 0; count < 5; count++) {
      last = nextAddress(small, taken, last);
      taken.add(last ?? '');
    }
    expect([...taken]).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6']);
    expect(small.gateway).toBe('10.1.2.1');
    expect(nextAddress(small, taken, last)).toBeUndefined();
    taken.delete('10.1.2.3');
    expect(nextAddress(small, taken, last)).toBe('10.1.2.3');
  });

  it('does not give out again at once what has just been given back', () => {
    expect(nextAddress(range('10.1.2.0/24'), new Set(), '10.1.2.7')).toBe('10.1.2.8');
  });

  it.each(['', '10.1.2.0', '10.1.2.0/31', '10.1.2.256/24', 'fd00::/64'])('refuses "%s"', (cidr) => {
    expect(podRange(cidr)).toBeUndefined();
  });
});

const node = (name: string, podCIDR?: string, ip?: string): Node => ({
  metadata: { name },
  spec: { ...(podCIDR !== undefined && { podCIDR }) },
  status: { addresses: ip === undefined ? [] : [{ type: 'InternalIP', address: ip }] },
});

describe('routes', () => {
  it('lead to the other nodes that have a CIDR and an address', () => {
    const nodes = [
      node('a', '10.244.0.0/24', '172.18.0.2'),
      node('c', '10.244.2.0/24', '172.18.0.4'),
      node('b', '10.244.1.0/24', '172.18.0.3'),
      node('d'),
      node('hollow', '10.244.9.0/24', '127.128.0.1'),
    ];
    expect(routesToNodes(nodes, 'a')).toEqual([
      { cidr: '10.244.1.0/24', via: '172.18.0.3' },
      { cidr: '10.244.2.0/24', via: '172.18.0.4' },
    ]);
  });

  it('change only what differs', () => {
    const present = parseRoutes(
      '[{"dst":"10.244.1.0/24","gateway":"172.18.0.3"},{"dst":"10.244.9.0/24","gateway":"172.18.0.9"}]',
    );
    const wanted = [
      { cidr: '10.244.1.0/24', via: '172.18.0.7' },
      { cidr: '10.244.2.0/24', via: '172.18.0.4' },
    ];
    expect(routeChanges(present, wanted).split('\n')).toEqual([
      'route del 10.244.9.0/24 proto 87',
      'route replace 10.244.1.0/24 via 172.18.0.7 proto 87',
      'route replace 10.244.2.0/24 via 172.18.0.4 proto 87',
    ]);
    expect(routeChanges(wanted, wanted)).toBe('');
    expect(parseRoutes('')).toEqual([]);
  });
});

describe('nodeRuleset', () => {
  it('replaces its own table and masquerades to the outside only', () => {
    const text = nodeRuleset({ podCidr: '10.244.1.0/24', cluster: ['172.18.0.3', '10.244.2.0/24'], hostPorts: [] });
    expect(text).toContain('delete table ip wherry-node');
    expect(text).toContain('elements = { 10.244.1.0/24, 10.244.2.0/24, 172.18.0.3 }');
    expect(text).toContain('ip saddr 10.244.1.0/24 ip daddr != @cluster masquerade');
  });

  it('publishes host ports, on one address if asked', () => {
    const port = { protocol: 'tcp', hostPort: 8080, podIp: '10.244.1.5', containerPort: 80 } as const;
    const text = nodeRuleset({
      podCidr: '10.244.1.0/24',
      cluster: [],
      hostPorts: [
        { ...port, hostIp: '' },
        { ...port, hostPort: 8081, hostIp: '1.2.3.4' },
      ],
    });
    expect(text).toContain('fib daddr type local tcp dport 8080 dnat to 10.244.1.5:80');
    expect(text).toContain('ip daddr 1.2.3.4 tcp dport 8081 dnat to 10.244.1.5:80');
  });
});

describe('links of pods', () => {
  it('are as wide as the node’s own', () => {
    expect(defaultLink('[{"dst":"default","gateway":"1.2.3.4","dev":"eth0"}]')).toBe('eth0');
    expect(defaultLink('')).toBeUndefined();
    expect(linkMtu('[{"ifname":"eth0","mtu":1400}]')).toBe(1400);
    expect(linkMtu('[]')).toBe(1500);
    expect(attachOnNode('wh0', 7, '10.1.2.3', range('10.1.2.0/24'), 1400).split('\n')).toEqual([
      'link add name wh0 mtu 1400 type veth peer name eth0 mtu 1400 netns 7',
      'addr add 10.1.2.1/32 dev wh0',
      'link set wh0 up',
      'route replace 10.1.2.3/32 dev wh0 src 10.1.2.1',
    ]);
  });
});

describe('vethName', () => {
  it('fits the kernel’s 15 characters', () => {
    expect(vethName('0123456789abcdef0123')).toBe('wh0123456789a');
  });
});

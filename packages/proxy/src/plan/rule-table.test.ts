import { describe, expect, it } from 'vitest';
import { contributionOf } from './contribution.ts';
import { RuleTable } from './rule-table.ts';
import type { ServiceRule, Target } from './service-rules.ts';

const options = { clusterCidr: '10.244.0.0/16', nodePortCidrs: [] };

function to(...ips: string[]): Target {
  return { kind: 'forward', endpoints: ips.map((ip) => ({ ip, port: 8080 })) };
}

function rule(target: Target, more: Partial<ServiceRule> = {}): ServiceRule {
  return {
    key: 'shop/web:http/tcp',
    protocol: 'tcp',
    port: 80,
    clusterIp: '10.96.0.5',
    nodePort: 0,
    externalIps: [],
    affinitySeconds: 0,
    internal: target,
    external: target,
    keepsClientAddress: false,
    shortcut: target,
    ...more,
  };
}

/** The commands of each step, without the table's name. */
function steps(...rules: (ServiceRule | undefined)[]): string[][] {
  const table = new RuleTable(options);
  table.takeEverything();
  return rules.map((next) => {
    const slots = table.contribution('r')?.slots;
    table.replace('r', next === undefined ? undefined : contributionOf(next, options, slots));
    return table.takeChanges().map((command) => command.replace(' ip wherry-proxy', ''));
  });
}

describe('RuleTable', () => {
  it('changes only elements when an endpoint goes, and its chain by number of endpoints', () => {
    const [, second] = steps(rule(to('10.244.0.1', '10.244.0.2', '10.244.0.3')), rule(to('10.244.0.2', '10.244.0.3')));
    expect(second).toEqual([
      'add chain service-tcp-2',
      'add rule service-tcp-2 meta l4proto tcp dnat ip to ip daddr . tcp dport . numgen random mod 2 map @service-endpoints-tcp',
      'add rule service-tcp-2 meta l4proto tcp dnat ip to ip daddr . tcp dport . numgen random mod 1 map @service-endpoints-tcp',
      'delete element service-endpoints-tcp { 10.96.0.5 . 80 . 0 }',
      'delete element services { 10.96.0.5 . tcp . 80 }',
      'delete element service-endpoints-tcp { 10.96.0.5 . 80 . 2 }',
      'add element service-endpoints-tcp { 10.96.0.5 . 80 . 0 : 10.244.0.3 . 8080 }',
      'add element services { 10.96.0.5 . tcp . 80 : goto service-tcp-2 }',
    ]);
  });

  it('keeps small shared chains, and removes large ones with their last service', () => {
    const many = Array.from({ length: 40 }, (_, index) => `10.244.1.${index}`);
    const [, second] = steps(rule(to(...many)), rule(to('10.244.0.2')));
    expect(second?.filter((command) => command.includes('chain'))).toEqual([
      'add chain service-tcp-1',
      'flush chain service-tcp-40',
      'delete chain service-tcp-40',
    ]);
    const [, , third] = steps(rule(to('10.244.0.1')), undefined, rule(to('10.244.0.1')));
    expect(third?.filter((command) => command.includes('chain'))).toEqual([]);
  });

  it('says nothing for an unchanged rule', () => {
    expect(steps(rule(to('10.244.0.1')), rule(to('10.244.0.1')))[1]).toEqual([]);
  });

  it('replaces an endpoint in its slot', () => {
    const [, second] = steps(rule(to('10.244.0.1', '10.244.0.2')), rule(to('10.244.0.2', '10.244.0.9')));
    expect(second?.filter((command) => !command.includes('hairpins'))).toEqual([
      'delete element service-endpoints-tcp { 10.96.0.5 . 80 . 0 }',
      'add element service-endpoints-tcp { 10.96.0.5 . 80 . 0 : 10.244.0.9 . 8080 }',
    ]);
  });

  it.each<[string, Partial<ServiceRule>, string[]]>([
    [
      'reject',
      { internal: { kind: 'reject' } },
      ['add element refused-services { 10.96.0.5 . tcp . 80 : goto reject-traffic }'],
    ],
    ['drop', { internal: { kind: 'drop' } }, ['add element refused-services { 10.96.0.5 . tcp . 80 : drop }']],
    [
      'a node port under the Local policy without local endpoints: dropped outside, served on the node',
      {
        internal: { kind: 'reject' },
        nodePort: 30080,
        keepsClientAddress: true,
        external: { kind: 'drop' },
        shortcut: to('10.244.9.1'),
      },
      [
        'add element refused-services { 10.96.0.5 . tcp . 80 : goto reject-traffic }',
        'add element refused-node-ports { tcp . 30080 : drop }',
        'add element node-port-endpoints-tcp { 30080 . 65536 : 10.244.9.1 . 8080 }',
        'add element node-port-shortcuts { tcp . 30080 : goto node-port-shortcut-tcp-1 }',
        'add element node-ports { tcp . 30080 : goto node-port-local-tcp-0 }',
      ],
    ],
  ])('%s', (_, more, expected) => {
    const [commands] = steps(rule({ kind: 'reject' }, more));
    const ignored = /^add (chain|rule) |cluster-ips|hairpins/;
    expect(commands?.filter((command) => !ignored.test(command))).toEqual(expected);
  });

  it('gives a service with affinity a memory per endpoint, and takes it away with the endpoint', () => {
    const [first, second] = steps(
      rule(to('10.244.0.1', '10.244.0.2'), { affinitySeconds: 60 }),
      rule(to('10.244.0.1'), { affinitySeconds: 60 }),
    );
    expect(first?.filter((command) => command.startsWith('add set'))).toHaveLength(2);
    expect(second?.filter((command) => command.startsWith('add'))).toHaveLength(2);
    expect(second?.at(-1)).toMatch(/^delete set affinity-/);
  });

  it('keeps the hairpin of a pod that is no endpoint any more: packets to it may be on their way', () => {
    const [, second] = steps(rule(to('10.244.0.1')), rule(to('10.244.0.2')));
    expect(second?.filter((command) => command.includes('hairpins'))).toEqual([
      'add element hairpins { 10.244.0.2 . 10.244.0.2 }',
    ]);
    const many = Array.from({ length: 16_400 }, (_, index) => `10.${index >> 8}.${index & 255}.1`);
    const [, afterMany] = steps(rule(to(...many)), rule(to('10.244.0.1')));
    expect(afterMany?.some((command) => command.startsWith('delete element hairpins'))).toBe(true);
  });

  it('keeps what another rule still needs', () => {
    const table = new RuleTable(options);
    table.replace('a', contributionOf(rule(to('10.244.0.1')), options));
    table.replace('b', contributionOf(rule(to('10.244.0.1'), { clusterIp: '10.96.0.6' }), options));
    table.takeChanges();
    table.replace('a', undefined);
    const commands = table.takeChanges().join('\n');
    expect(commands).not.toMatch(/hairpins|chain/);
    expect(commands).toContain('delete element ip wherry-proxy services { 10.96.0.5 . tcp . 80 }');
  });

  it('lets the first of two rules that claim one address have it, then the other', () => {
    const table = new RuleTable(options);
    const claim = (owner: string, ip: string) =>
      table.replace(
        owner,
        contributionOf(
          rule({ kind: 'reject' }, { external: to(ip), externalIps: ['192.0.2.1'], clusterIp: owner }),
          options,
        ),
      );
    claim('10.96.0.7', '10.244.0.7');
    claim('10.96.0.8', '10.244.0.8');
    const key = '192.0.2.1 . 80 . 0 : ';
    expect(table.takeChanges().filter((command) => command.includes(key))).toEqual([
      `add element ip wherry-proxy service-endpoints-tcp { ${key}10.244.0.7 . 8080 }`,
    ]);
    table.replace('10.96.0.7', undefined);
    expect(table.takeChanges().filter((command) => command.includes(key))).toEqual([
      `add element ip wherry-proxy service-endpoints-tcp { ${key}10.244.0.8 . 8080 }`,
    ]);
  });
});

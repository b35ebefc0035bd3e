import { describe, expect, it } from 'vitest';
import { ruleChanges } from './difference.ts';
import type { ServiceRule } from './service-rules.ts';

function rule(key: string, ips: readonly string[]): ServiceRule {
  const target = { kind: 'forward', endpoints: ips.map((ip) => ({ ip, port: 80 })) } as const;
  return {
    key,
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
  };
}

describe('ruleChanges', () => {
  it('is empty for equal rules', () => expect(ruleChanges([rule('a', ['1'])], [rule('a', ['1'])])).toEqual([]));

  it('removes first, and says why of each change', () => {
    const changes = ruleChanges([rule('a', ['1', '2']), rule('b', [])], [rule('a', ['2', '3']), rule('c', [])]);
    expect(changes.map(({ kind, why }) => `${kind}: ${why}`)).toEqual([
      'remove: service port b is gone',
      'replace: endpoint 3:80 added, endpoint 1:80 removed',
      'add: new service port c',
    ]);
  });

  it('sees reject become drop', () => {
    const refused = { ...rule('a', []), internal: { kind: 'reject' } } as const;
    const changes = ruleChanges([refused], [{ ...refused, internal: { kind: 'drop' } }]);
    expect(changes.map(({ why }) => why)).toEqual(['reject becomes drop']);
  });
});

import type { Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import {
  formatResolvConf,
  nodeHostsFile,
  parseResolvConf,
  podHostname,
  podHostsFile,
  podResolver,
} from './name-resolution.ts';

const pod = (spec: Partial<NonNullable<Pod['spec']>>): Pod => ({
  metadata: { name: 'web-1', namespace: 'shop' },
  spec: { containers: [], ...spec },
});
const cluster = { nameservers: ['10.96.0.10'], domain: 'cluster.local' };
const host = parseResolvConf('nameserver 127.0.0.11\nnameserver 192.0.2.53\nsearch corp.example # x\noptions edns0\n');

describe('podResolver', () => {
  const text = (spec: Partial<NonNullable<Pod['spec']>>) => formatResolvConf(podResolver(pod(spec), cluster, host));
  it('asks the cluster DNS with its search domains first', () => {
    expect(text({})).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
  });
  it('never hands on a resolver of another namespace’s loopback', () => {
    expect(text({ dnsPolicy: 'Default' })).toBe('search corp.example\nnameserver 192.0.2.53\noptions edns0\n');
  });
  it('uses the node’s for host network, unless told otherwise', () => {
    expect(text({ hostNetwork: true })).toContain('nameserver 192.0.2.53');
    expect(text({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })).toContain('nameserver 10.96.0.10');
  });
  it('takes only what is given for None, and lets options replace', () => {
    const dnsConfig = {
      nameservers: ['1.1.1.1'],
      searches: ['x'],
      options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }],
    };
    expect(text({ dnsPolicy: 'None', dnsConfig })).toBe('search x\nnameserver 1.1.1.1\noptions ndots:2 rotate\n');
    expect(text({ dnsConfig })).toContain('options ndots:2 rotate\n');
  });
});

describe('hosts files', () => {
  it('names the pod, with its domain if it has one', () => {
    expect(podHostsFile(pod({}), '10.0.0.5', 'cluster.local')).toContain('\n10.0.0.5\tweb-1\n');
    const named = pod({ hostname: 'db', subdomain: 'peers', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] });
    const file = podHostsFile(named, '10.0.0.5', 'cluster.local');
    expect(file).toContain('\n10.0.0.5\tdb.peers.shop.svc.cluster.local\tdb\n');
    expect(file).toContain('# Entries added by HostAliases.\n1.2.3.4\ta\tb\n');
  });
  it('keeps the node’s for host network', () => {
    expect(nodeHostsFile(pod({}), '127.0.0.1 localhost\n')).toBe(
      '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n',
    );
  });
  it('cuts names to what a label allows', () => {
    expect(podHostname({ metadata: { name: `${'a'.repeat(62)}-b` } }, 'x').hostname).toBe('a'.repeat(62));
  });
});

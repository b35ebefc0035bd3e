import { expect, test } from 'vitest';
import { missingCapabilities } from './capabilities.ts';
import { decideEngine, type EngineDecision } from './decide.ts';
import type { HostFacts } from './host-facts.ts';

const facts: HostFacts = {
  platform: 'linux',
  isRoot: true,
  kernel: '6.1.0-18-amd64',
  missingCapabilities: [],
  hasApt: true,
  hasSystemd: false,
  missingPrograms: [],
};
const host = 'unix:///var/run/docker.sock';

test.each<{
  name: string;
  changed: Partial<HostFacts>;
  host?: string;
  answers?: boolean;
  decision: EngineDecision['kind'];
  says?: RegExp;
  install?: string[];
}>([
  { name: 'an engine answers', changed: {}, answers: true, decision: 'use', install: [] },
  { name: 'nothing answers but all is installed', changed: {}, decision: 'start', install: [] },
  {
    name: 'a bare Debian',
    changed: { missingPrograms: ['dockerd', 'nft'] },
    decision: 'start',
    install: ['docker.io', 'nftables'],
  },
  {
    name: 'an engine answers, tools are missing',
    changed: { missingPrograms: ['dockerd', 'ip'] },
    answers: true,
    decision: 'use',
    install: ['iproute2'],
  },
  {
    name: 'no apt',
    changed: { missingPrograms: ['dockerd'], hasApt: false },
    decision: 'unavailable',
    says: /dockerd is not installed, and this is no Debian/,
  },
  { name: 'not root', changed: { isRoot: false }, answers: true, decision: 'unavailable', says: /only root/ },
  { name: 'macOS', changed: { platform: 'darwin' }, answers: true, decision: 'unavailable', says: /this is darwin/ },
  {
    name: 'an old kernel',
    changed: { kernel: '4.19.0' },
    decision: 'unavailable',
    says: /Linux 4\.19\.0 is too old: nodes need 5\.4/,
  },
  { name: 'a kernel just new enough', changed: { kernel: '5.4.1' }, answers: true, decision: 'use' },
  {
    name: 'no right to wire',
    changed: { missingCapabilities: ['NET_ADMIN'] },
    decision: 'unavailable',
    says: /lacks CAP_NET_ADMIN/,
  },
  {
    name: 'an engine elsewhere',
    changed: {},
    host: 'tcp://10.0.0.1:2375',
    answers: true,
    decision: 'unavailable',
    says: /another machine/,
  },
])('decideEngine: $name', ({ changed, host: at = host, answers = false, decision, says, install }) => {
  const found = decideEngine({ ...facts, ...changed }, { host: at, answers });
  expect(found.kind).toBe(decision);
  if (says !== undefined) expect(found.kind === 'unavailable' && found.reason).toMatch(says);
  if (install !== undefined) expect(found.kind !== 'unavailable' && found.install).toEqual(install);
});

test('missingCapabilities reads the effective set', () => {
  expect(missingCapabilities('Name:\tx\nCapEff:\t000001fffeffffff\n')).toEqual(['SYS_RESOURCE']);
  expect(missingCapabilities('CapEff:\t000001ffffffffff\n')).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';

/**
 * A network of hosts on this machine: each host is a network namespace, and a bridge in a namespace of its own joins
 * them, so that this machine's firewall neither sees their traffic nor is changed. Names are fixed: whatever an earlier
 * run left is found by them.
 */
export interface HostPlace {
  readonly name: string;
  readonly address: string;
  readonly namespace: string;
}

const switchNamespace = 'wherry-lan';
/** This machine's own plug in the switch; addresses of hosts are reached through it. */
const ownLink = 'wherry-lan';
const network = '10.213.77';
/** Nobody has it: the hosts' way out exists, as Services need, and leads nowhere. */
const gateway = `${network}.254`;

export const places: readonly HostPlace[] = [1, 2, 3].map((number) => ({
  name: `host-${number}`,
  address: `${network}.${10 + number}`,
  namespace: `wherry-host-${number}`,
}));

/** What a program is run by to be on a host. */
export const onHost = ({ namespace }: HostPlace): readonly string[] => [
  'nsenter',
  `--net=/run/netns/${namespace}`,
  '--',
];

export async function buildLan(): Promise<void> {
  await ip(['netns', 'add', switchNamespace]);
  await ip(['-n', switchNamespace, 'link', 'add', 'lan', 'type', 'bridge']);
  await ip(['-n', switchNamespace, 'link', 'set', 'lan', 'up']);
  await ip(['link', 'add', ownLink, 'type', 'veth', 'peer', 'name', 'own', 'netns', switchNamespace]);
  await ip(['-n', switchNamespace, 'link', 'set', 'own', 'master', 'lan', 'up']);
  await ip(['addr', 'add', `${network}.1/24`, 'dev', ownLink]);
  await ip(['link', 'set', ownLink, 'up']);
  for (const place of places) await plugIn(place);
}

async function plugIn({ name, namespace, address }: HostPlace): Promise<void> {
  await ip(['netns', 'add', namespace]);
  await ip(['link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', name, 'netns', switchNamespace]);
  await ip(['-n', switchNamespace, 'link', 'set', name, 'master', 'lan', 'up']);
  await ip(['-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
  for (const link of ['lo', 'eth0']) await ip(['-n', namespace, 'link', 'set', link, 'up']);
  await ip(['-n', namespace, 'route', 'add', 'default', 'via', gateway]);
  for (const [key, value] of shippedSettings()) {
    const path = `/proc/sys/${key.replaceAll('.', '/')}`;
    await succeed('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sh', '-c', `echo ${value} > ${path}`]);
  }
}

/** Pulls a host's only cable at the switch, or plugs it in again: nothing on the host ends, and nobody is told. */
export async function setCable({ name }: HostPlace, state: 'up' | 'down'): Promise<void> {
  await ip(['-n', switchNamespace, 'link', 'set', name, state]);
}

/** As on VMs: the file that is put into /etc/sysctl.d there. */
function shippedSettings(): readonly (readonly [key: string, value: string])[] {
  const text = readFileSync(join(repository, 'deploy/systemd/90-wherry.conf'), 'utf8');
  return [...text.matchAll(/^([a-z0-9_.]+) = (\d+)$/gm)].map(([, key = '', value = '']) => [key, value]);
}

/** Removes all of it, or what there is of it. */
export async function removeLan(): Promise<void> {
  if ((await run('ip', ['link', 'show', ownLink])).code === 0) await ip(['link', 'del', ownLink]);
  const present = (await succeed('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]);
  for (const namespace of [switchNamespace, ...places.map((place) => place.namespace)])
    if (present.includes(namespace)) await ip(['netns', 'del', namespace]);
}

async function ip(args: readonly string[]): Promise<void> {
  await succeed('ip', args);
}

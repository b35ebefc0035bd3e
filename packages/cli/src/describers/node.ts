import { isNotFound, type Lease, type Node, type Pod, resources } from '@wherry/api';
import { ageText } from '../printers/age.ts';
import { type Amounts, amountText, podAmounts, shareText, sumOf } from './amounts.ts';
import { type Describer, describeWords } from './describer.ts';
import type { Outline } from './outline.ts';
import { timeText } from './times.ts';

const ROLE = 'node-role.kubernetes.io/';
const BASIC = ['cpu', 'memory', 'ephemeral-storage'];

export const describeNode: Describer<Node> = async (node, outline, { client, nowMs }) => {
  const { spec, status, metadata } = node;
  outline.field('Name', metadata?.name).field('Roles', rolesOf(node).join(',') || '<none>');
  describeWords(outline, node).field('CreationTimestamp', timeText(metadata?.creationTimestamp));
  const taints = (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`);
  outline.list('Taints', taints).field('Unschedulable', spec?.unschedulable ?? false);
  const name = metadata?.name ?? '';
  describeLease(outline, await leaseOf(() => client.get(resources.leases, name, { namespace: 'kube-node-lease' })));
  const conditions = (status?.conditions ?? []).map(
    ({ type, status: value, lastHeartbeatTime, lastTransitionTime, reason = '', message = '' }) => [
      `${type} `,
      `${value} `,
      `${timeText(lastHeartbeatTime) ?? ''} `,
      `${timeText(lastTransitionTime) ?? ''} `,
      `${reason} `,
      message,
    ],
  );
  if (conditions.length > 0) {
    outline.table(
      'Conditions',
      ['Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message'],
      conditions,
    );
  }
  outline.block('Addresses', (inner) => {
    for (const { type, address } of status?.addresses ?? []) inner.field(type, address);
  });
  describeAmounts(outline, 'Capacity', status?.capacity);
  describeAmounts(outline, 'Allocatable', status?.allocatable);
  describeSystem(outline, node);
  const pods = await client.list(resources.pods, { fieldSelector: `spec.nodeName=${name}` });
  const active = pods.items.filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
  describePods(outline, active, node, nowMs);
};

export function rolesOf({ metadata }: Node): readonly string[] {
  return Object.keys(metadata?.labels ?? {})
    .filter((key) => key.startsWith(ROLE) && key.length > ROLE.length)
    .map((key) => key.slice(ROLE.length))
    .sort();
}

/** A node that has never been heard of has none. */
async function leaseOf(get: () => Promise<Lease>): Promise<Lease | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function describeLease(outline: Outline, lease: Lease | undefined): void {
  outline.block('Lease', (inner) => {
    inner
      .field('HolderIdentity', lease?.spec?.holderIdentity ?? '<unset>')
      .field('AcquireTime', timeText(lease?.spec?.acquireTime) ?? '<unset>')
      .field('RenewTime', timeText(lease?.spec?.renewTime) ?? '<unset>');
  });
}

function describeAmounts(outline: Outline, label: string, amounts: Amounts | undefined): void {
  const entries = Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return;
  outline.block(label, (inner) => {
    for (const [name, amount] of entries) inner.field(name, amount);
  });
}

function describeSystem(outline: Outline, { spec, status }: Node): void {
  const info = status?.nodeInfo;
  outline
    .block('System Info', (inner) => {
      inner
        .field('Machine ID', info?.machineID ?? '')
        .field('System UUID', info?.systemUUID ?? '')
        .field('Boot ID', info?.bootID ?? '')
        .field('Kernel Version', info?.kernelVersion ?? '')
        .field('OS Image', info?.osImage ?? '')
        .field('Operating System', info?.operatingSystem ?? '')
        .field('Architecture', info?.architecture ?? '')
        .field('Container Runtime Version', info?.containerRuntimeVersion ?? '')
        .field('Kubelet Version', info?.kubeletVersion ?? '')
        .field('Kube-Proxy Version', info?.kubeProxyVersion ?? '');
    })
    .field('PodCIDR', spec?.podCIDR)
    .field('PodCIDRs', spec?.podCIDRs?.join(','))
    .field('ProviderID', spec?.providerID);
}

function describePods(outline: Outline, pods: readonly Pod[], { status }: Node, nowMs: number): void {
  const allocatable = status?.allocatable ?? status?.capacity ?? {};
  outline.field('Non-terminated Pods', `(${pods.length} in total)`);
  const heading = ['Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age'];
  const inner = outline.inner();
  inner.row(...heading).row(...heading.map((word) => '-'.repeat(word.length)));
  for (const pod of pods) {
    const share = (amounts: Amounts, resource: string) => shareText(amounts[resource], allocatable[resource]);
    const [requests, limits] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')];
    const age = ageText(nowMs - Date.parse(pod.metadata?.creationTimestamp ?? ''));
    const { namespace = '', name = '' } = pod.metadata ?? {};
    inner.row(
      namespace,
      name,
      '',
      share(requests, 'cpu'),
      share(limits, 'cpu'),
      share(requests, 'memory'),
      share(limits, 'memory'),
      age,
    );
  }
  const requests = sumOf(pods.map((pod) => podAmounts(pod, 'requests')));
  const limits = sumOf(pods.map((pod) => podAmounts(pod, 'limits')));
  outline.row('Allocated resources:');
  inner.row('(Total limits may be over 100 percent, i.e., overcommitted.)');
  inner.row('Resource', 'Requests', 'Limits').row('--------', '--------', '------');
  const others = Object.keys(allocatable)
    .filter((name) => !BASIC.includes(name) && name !== 'pods')
    .sort();
  for (const name of [...BASIC, ...others]) {
    const isBasic = BASIC.includes(name) || name.startsWith('hugepages-');
    const text = (amounts: Amounts) =>
      isBasic ? shareText(amounts[name], allocatable[name]) : amountText(amounts[name]);
    inner.row(name, text(requests), text(limits));
  }
}

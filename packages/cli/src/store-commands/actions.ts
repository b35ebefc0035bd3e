import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../terminal/table.ts';
import { type ConnectionFlags, storeConnection } from './connection.ts';
import { operate } from './operate.ts';

interface Member {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

interface Members {
  readonly members: readonly Member[];
}

interface MemberStatus {
  readonly endpoint: string;
  readonly member: string;
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly leader: boolean;
  readonly isLearner: boolean;
  readonly revision: number;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  /** Why the member could not be asked; then nothing else is known. */
  readonly error?: string;
}

export function printEnvironment(context: Context, flags: ConnectionFlags): void {
  const { endpoints, ca, cert, key } = storeConnection(context, flags);
  const values = {
    ETCDCTL_API: '3',
    ETCDCTL_ENDPOINTS: endpoints.join(','),
    ETCDCTL_CACERT: ca,
    ETCDCTL_CERT: cert,
    ETCDCTL_KEY: key,
  };
  for (const [name, value] of Object.entries(values)) context.terminal.out(`export ${name}=${quoted(value)}`);
}

/** For a POSIX shell: nothing inside single quotes is special but the quote itself. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export async function showStatus(context: Context, flags: ConnectionFlags, output?: 'json'): Promise<void> {
  const order = { kind: 'status', connection: storeConnection(context, flags) };
  const result = await operate<{ members: readonly MemberStatus[] }>(context, order);
  if (output === 'json') context.terminal.out(JSON.stringify(result, undefined, 2));
  else {
    const header = ['MEMBER', 'ENDPOINT', 'ROLE', 'REVISION', 'TERM', 'INDEX', 'APPLIED', 'SIZE', 'VERSION', 'ERRORS'];
    context.terminal.out(table(header, result.members.map(statusRow)));
  }
  if (result.members.every(({ error }) => error !== undefined)) throw new Failure('No member of the store answers');
}

function statusRow(member: MemberStatus): readonly string[] {
  const { endpoint, error } = member;
  if (error !== undefined) return ['', endpoint, '', '', '', '', '', '', '', error];
  const { revision, raftTerm, raftIndex, raftAppliedIndex, dbSizeBytes, version, errors } = member;
  const role = member.leader ? 'leader' : member.isLearner ? 'learner' : 'follower';
  const numbers = [revision, raftTerm, raftIndex, raftAppliedIndex].map(String);
  return [member.member, endpoint, role, ...numbers, size(dbSizeBytes), version, errors.join(', ')];
}

function size(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export async function moveLeader(context: Context, flags: ConnectionFlags, member: string): Promise<void> {
  const order = { kind: 'moveLeader', connection: storeConnection(context, flags), member };
  const { leader } = await operate<{ leader: string }>(context, order);
  context.terminal.out(`${leader} leads the store`);
}

export async function listMembers(context: Context, flags: ConnectionFlags, output?: 'json'): Promise<void> {
  const result = await operate<Members>(context, { kind: 'memberList', connection: storeConnection(context, flags) });
  if (output === 'json') context.terminal.out(JSON.stringify(result, undefined, 2));
  else showMembers(context, result);
}

export async function addMember(
  context: Context,
  flags: ConnectionFlags,
  peerUrl: string,
  isLearner: boolean,
): Promise<void> {
  const order = { kind: 'memberAdd', connection: storeConnection(context, flags), peerUrls: [peerUrl], isLearner };
  const result = await operate<Members & { readonly added: string }>(context, order);
  showMembers(context, result);
  const known = result.members.map(({ id, name, peerUrls }) => `${id === result.added ? 'NAME' : name}=${peerUrls[0]}`);
  context.terminal.err(
    `Start it with: wherry daemon exec store --name=NAME --initial-advertise-peer-urls=${peerUrl} --initial-cluster-state=existing --initial-cluster=${known.join(',')} …`,
  );
}

export async function removeMember(context: Context, flags: ConnectionFlags, member: string): Promise<void> {
  const order = { kind: 'memberRemove', connection: storeConnection(context, flags), member };
  showMembers(context, await operate<Members>(context, order));
}

export async function updateMember(
  context: Context,
  flags: ConnectionFlags,
  member: string,
  peerUrl: string,
): Promise<void> {
  const order = { kind: 'memberUpdate', connection: storeConnection(context, flags), member, peerUrls: [peerUrl] };
  showMembers(context, await operate<Members>(context, order));
}

export async function promoteMember(context: Context, flags: ConnectionFlags, member: string): Promise<void> {
  const order = { kind: 'memberPromote', connection: storeConnection(context, flags), member };
  showMembers(context, await operate<Members>(context, order));
}

function showMembers(context: Context, { members }: Members): void {
  const rows = members.map(({ id, name, peerUrls, clientUrls, isLearner }) => [
    id,
    name,
    // etcd's words: a member that was added says its name when it starts.
    name === '' ? 'unstarted' : 'started',
    isLearner ? 'learner' : 'voter',
    peerUrls.join(','),
    clientUrls.join(','),
  ]);
  context.terminal.out(table(['ID', 'NAME', 'STATUS', 'ROLE', 'PEER URLS', 'CLIENT URLS'], rows));
}

export async function saveSnapshot(context: Context, flags: ConnectionFlags, file: string): Promise<void> {
  const order = { kind: 'snapshotSave', connection: storeConnection(context, flags), file: resolve(file) };
  const saved = await operate<{ revision: number; sizeBytes: number }>(context, order);
  context.terminal.out(`Saved revision ${saved.revision} in ${file} (${size(saved.sizeBytes)})`);
}

interface SnapshotStatus {
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
}

export async function showSnapshot(
  context: Context,
  file: string,
  skipHashCheck: boolean,
  output?: 'json',
): Promise<void> {
  const order = { kind: 'snapshotStatus', file: resolve(file), skipHashCheck };
  const status = await operate<SnapshotStatus>(context, order);
  if (output === 'json') {
    context.terminal.out(JSON.stringify(status));
    return;
  }
  const row = [status.hash.toString(16), String(status.revision), String(status.totalKey), size(status.totalSize)];
  context.terminal.out(table(['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE'], [row]));
}

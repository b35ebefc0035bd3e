import { createHash } from 'node:crypto';
import type { NodeId } from '../raft/types.ts';

/** A member as `--initial-cluster` names it. */
export interface InitialMember {
  readonly name: string;
  readonly peerUrl: string;
}

/** Reads `name=https://host:port,…`. @throws Error naming what is wrong */
export function parseInitialCluster(text: string): InitialMember[] {
  const members = text.split(',').map((part) => {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(0, at)).trim();
    const peerUrl = part.slice(at + 1).trim();
    if (at < 1 || !URL.canParse(peerUrl)) throw new Error(`Cannot read "${part}" in --initial-cluster: want name=url`);
    return { name, peerUrl };
  });
  const names = new Set(members.map((member) => member.name));
  if (names.size !== members.length) throw new Error(`--initial-cluster names a member twice: ${text}`);
  return members;
}

/** The same on every member, as etcd's: from what all are told. */
export function memberIdOf(member: InitialMember, token: string): NodeId {
  return hash(`${member.name} ${member.peerUrl} ${token}`) as NodeId;
}

export function clusterIdOf(members: readonly InitialMember[], token: string): number {
  const ids = members.map((member) => memberIdOf(member, token)).sort((a, b) => a - b);
  return hash(ids.join(' '));
}

/** 52 bits, never 0: fits a double, and everything of ours that has ids. */
function hash(text: string): number {
  const digest = createHash('sha256').update(text).digest();
  return digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) >> 4) + 1;
}

/** Host and port of a listen or peer URL; https only. */
export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') throw new Error(`Cannot use ${url}: the store speaks https only`);
  if (port === '') throw new Error(`Cannot use ${url}: it has no port`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

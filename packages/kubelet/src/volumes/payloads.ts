// Fetches what configMap, secret, downwardAPI and projected volumes are made of.
import type { Pod, Volume, VolumeProjection } from '@wherry/api';
import type { NodeAllocatable } from '../plan/resource-ref.ts';
import {
  configMapPayload,
  defaultFileMode,
  downwardPayload,
  type KeyedSource,
  mergePayloads,
  type Payload,
  secretPayload,
  VolumeError,
} from '../plan/volume-payload.ts';
import type { References } from '../pods/references.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export interface PayloadSources {
  readonly references: References;
  readonly tokens: ServiceAccountTokens;
  readonly hostIp: string;
  readonly allocatable: () => NodeAllocatable;
}

interface Context {
  readonly pod: Pod;
  readonly sources: PayloadSources;
  readonly notOlderThanMs: number;
}

type Keyed = Pick<KeyedSource, 'items' | 'optional' | 'mode'>;

function keyed(
  source: { readonly items?: KeyedSource['items']; readonly optional?: boolean },
  mode: number | undefined,
): Keyed {
  return { items: source.items, optional: source.optional === true, mode: mode ?? defaultFileMode };
}

async function fromConfigMap(context: Context, name: string, source: Keyed): Promise<Payload> {
  const namespace = context.pod.metadata?.namespace ?? 'default';
  const map = await context.sources.references.configMap(namespace, name, context.notOlderThanMs);
  if (map === undefined && !source.optional) throw new VolumeError(`configmap "${name}" not found`);
  return map === undefined ? new Map() : configMapPayload(map, { what: 'config', ...source });
}

async function fromSecret(context: Context, name: string, source: Keyed): Promise<Payload> {
  const namespace = context.pod.metadata?.namespace ?? 'default';
  const secret = await context.sources.references.secret(namespace, name, context.notOlderThanMs);
  if (secret === undefined && !source.optional) throw new VolumeError(`secret "${name}" not found`);
  return secret === undefined ? new Map() : secretPayload(secret, { what: 'secret', ...source });
}

async function fromProjection(context: Context, projection: VolumeProjection, mode: number): Promise<Payload> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap !== undefined) return fromConfigMap(context, configMap.name ?? '', keyed(configMap, mode));
  if (secret !== undefined) return fromSecret(context, secret.name ?? '', keyed(secret, mode));
  if (downwardAPI !== undefined) return fromDownward(context, downwardAPI.items ?? [], mode);
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = 3600, path } = serviceAccountToken;
    const content = await context.sources.tokens.token(context.pod, { audience, expirationSeconds });
    // Where the pod's group can read it, nobody else needs to (upstream).
    const grouped = context.pod.spec?.securityContext?.fsGroup !== undefined;
    return new Map([[path, { content, mode: grouped ? 0o600 : mode }]]);
  }
  throw new VolumeError(`projection "${Object.keys(projection)[0] ?? ''}" is not supported`);
}

function fromDownward(context: Context, items: Parameters<typeof downwardPayload>[1], mode: number): Payload {
  const { hostIp, allocatable } = context.sources;
  return downwardPayload(context.pod, items, mode, { podIp: context.pod.status?.podIP, hostIp }, allocatable());
}

/** The volume's files; undefined if it is not of a kind that consists of given files. @throws VolumeError */
export async function volumePayload(
  pod: Pod,
  volume: Volume,
  sources: PayloadSources,
  notOlderThanMs: number,
): Promise<Payload | undefined> {
  const context = { pod, sources, notOlderThanMs };
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined)
    return fromConfigMap(context, configMap.name ?? '', keyed(configMap, configMap.defaultMode));
  if (secret !== undefined) return fromSecret(context, secret.secretName ?? '', keyed(secret, secret.defaultMode));
  if (downwardAPI !== undefined)
    return fromDownward(context, downwardAPI.items ?? [], downwardAPI.defaultMode ?? defaultFileMode);
  if (projected === undefined) return undefined;
  const mode = projected.defaultMode ?? defaultFileMode;
  const parts = await Promise.all((projected.sources ?? []).map((source) => fromProjection(context, source, mode)));
  return mergePayloads(parts);
}

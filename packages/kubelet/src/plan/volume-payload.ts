// The files of configMap, secret, downwardAPI and projected volumes: contents and modes by relative path.
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '@wherry/api';
import { type FieldContext, podField } from './field-ref.ts';
import { type NodeAllocatable, resourceField } from './resource-ref.ts';

export interface PayloadFile {
  /** Text, or bytes for binary data. */
  readonly content: string | Uint8Array;
  readonly mode: number;
}

export type Payload = ReadonlyMap<string, PayloadFile>;

/** A volume cannot be filled; its pod waits and gets a FailedMount event. */
export class VolumeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VolumeError';
  }
}

export const defaultFileMode = 0o644;

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

export interface KeyedSource {
  /** Words for messages: `configmap` or `secret`. */
  readonly what: string;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
}

/** Files of a keyed object; all keys, or the chosen ones under their paths. */
function keyedPayload(data: ReadonlyMap<string, string | Uint8Array>, source: KeyedSource): Payload {
  const files = new Map<string, PayloadFile>();
  if (source.items === undefined || source.items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode: source.mode });
    return files;
  }
  for (const item of source.items) {
    const content = data.get(item.key);
    if (content === undefined) {
      if (source.optional) continue;
      throw new VolumeError(`references non-existent ${source.what} key: ${item.key}`);
    }
    assertInside(item.path);
    files.set(item.path, { content, mode: item.mode ?? source.mode });
  }
  return files;
}

/** The API refuses such paths already; a volume must not write outside itself whatever comes through. */
function assertInside(path: string): void {
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new VolumeError(`path must be relative without "..": ${path}`);
}

export function configMapPayload(map: ConfigMap | undefined, source: KeyedSource): Payload {
  const data = new Map<string, string | Uint8Array>(Object.entries(map?.data ?? {}));
  for (const [key, base64] of Object.entries(map?.binaryData ?? {})) data.set(key, decode(base64));
  return keyedPayload(data, source);
}

export function secretPayload(secret: Secret | undefined, source: KeyedSource): Payload {
  const entries = Object.entries(secret?.data ?? {}).map(([key, base64]) => [key, decode(base64)] as const);
  return keyedPayload(new Map(entries), source);
}

export function downwardPayload(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  context: FieldContext,
  allocatable: NodeAllocatable,
): Payload {
  const files = new Map<string, PayloadFile>();
  for (const item of items) {
    assertInside(item.path);
    const content =
      item.fieldRef !== undefined
        ? podField(pod, item.fieldRef.fieldPath, context)
        : item.resourceFieldRef !== undefined
          ? resourceField(pod, item.resourceFieldRef, item.resourceFieldRef.containerName ?? '', allocatable)
          : undefined;
    if (content === undefined) {
      throw new VolumeError(
        `cannot resolve ${item.fieldRef?.fieldPath ?? item.resourceFieldRef?.resource ?? 'an item without source'}`,
      );
    }
    files.set(item.path, { content, mode: item.mode ?? mode });
  }
  return files;
}

/** Several payloads in one volume; a later file replaces an earlier one of the same path. */
export function mergePayloads(payloads: readonly Payload[]): Payload {
  return new Map(payloads.flatMap((payload) => [...payload]));
}

/** Whether two payloads would look the same in a volume. */
export function samePayload(left: Payload | undefined, right: Payload): boolean {
  if (left === undefined || left.size !== right.size) return false;
  for (const [path, file] of right) {
    const other = left.get(path);
    if (other === undefined || other.mode !== file.mode || !sameContent(other.content, file.content)) return false;
  }
  return true;
}

function asBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

function sameContent(left: string | Uint8Array, right: string | Uint8Array): boolean {
  const [leftBytes, rightBytes] = [asBytes(left), asBytes(right)];
  return leftBytes.length === rightBytes.length && leftBytes.every((byte, index) => byte === rightBytes[index]);
}

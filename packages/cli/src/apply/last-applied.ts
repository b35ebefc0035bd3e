import type { ApiObject } from '@wherry/api';
import { VerbError } from '../kube/verb-error.ts';
import { goJson } from '../printers/go-json.ts';

/** kubectl's own, in kubectl's encoding: the two can take turns on one object. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifest with itself as annotation, for the next apply to see what has been dropped. */
export function annotated(manifest: ApiObject): ApiObject {
  const { [LAST_APPLIED]: _, ...annotations } = manifest.metadata?.annotations ?? {};
  const plain = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  const text = `${goJson(plain)}\n`;
  return { ...plain, metadata: { ...plain.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

/** @returns undefined when the object was never applied */
export function lastAppliedOf(live: ApiObject): Readonly<Record<string, unknown>> | undefined {
  const text = live.metadata?.annotations?.[LAST_APPLIED];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new VerbError(`the annotation ${LAST_APPLIED} of ${live.metadata?.name} is no JSON`, { cause });
  }
}

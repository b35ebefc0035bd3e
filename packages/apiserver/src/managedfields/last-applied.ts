// The annotation in which client-side apply keeps what was applied last.
import { compareObjects } from './compare.ts';
import { fieldSetOf } from './extract.ts';
import { difference, type FieldSet } from './field-set.ts';
import type { TrackedKind } from './tracked-kind.ts';
import { problemsOf } from './validate.ts';
import { type Bag, isBag } from './values.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** All annotations of an object together. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** The fields that still are as client-side apply left them; undefined when that is not known. */
export function lastAppliedOf({ apiVersion, shape }: TrackedKind, live: Bag): FieldSet | undefined {
  const applied = parsed(annotationsOf(live)?.[annotation]);
  if (applied === undefined || applied['apiVersion'] !== apiVersion || problemsOf(shape, applied) !== undefined) {
    return undefined;
  }
  const { added, modified, removed } = compareObjects(shape, applied, live);
  return difference(difference(difference(fieldSetOf(shape, applied), modified), added), removed);
}

function parsed(text: unknown): Bag | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isBag(value) ? value : undefined;
  } catch {
    // Whatever it is, kubectl did not write it: there is nothing to go on with.
    return undefined;
  }
}

/** Where the annotation is, it follows: client-side apply then goes on from what was applied here. */
export function updatedLastApplied(object: Bag, config: Bag): Bag {
  const annotations = annotationsOf(object);
  const present = annotations?.[annotation];
  if (typeof present !== 'string' || present === '') return object;
  const text = `${JSON.stringify(sortedByName(withoutAnnotation(config)))}\n`;
  const { [annotation]: _replaced, ...others } = annotations ?? {};
  const fits = sizeOf(others) + annotation.length + utf8Length(text) <= ANNOTATIONS_BYTES_MAX;
  const metadata = { ...(object['metadata'] as Bag), annotations: fits ? { ...others, [annotation]: text } : others };
  return { ...object, metadata };
}

function withoutAnnotation(config: Bag): Bag {
  const annotations = annotationsOf(config);
  if (annotations === undefined) return config;
  const { [annotation]: _applied, ...others } = annotations;
  return { ...config, metadata: { ...(config['metadata'] as Bag), annotations: others } };
}

function annotationsOf(object: Bag): Bag | undefined {
  const { metadata } = object as { metadata?: unknown };
  const annotations = isBag(metadata) ? metadata['annotations'] : undefined;
  return isBag(annotations) ? annotations : undefined;
}

function sizeOf(annotations: Bag): number {
  return Object.entries(annotations).reduce(
    (sum, [name, value]) => sum + utf8Length(name) + utf8Length(String(value)),
    0,
  );
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

function sortedByName(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedByName);
  if (!isBag(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, item]) => [name, sortedByName(item)]),
  );
}

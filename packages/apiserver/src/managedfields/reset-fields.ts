// Which fields a write through a resource or subresource cannot change, and hence nobody comes to own by it
// (upstream: the strategies' GetResetFields).
import type { ManagedFieldsEntry } from '@wherry/api';
import { type FieldSet, isEmpty, leaf, nodeOf, recursiveDifference, setOf } from './field-set.ts';
import { fieldElement, self } from './path-element.ts';

/** What of a set a writer may own. */
export interface WriteFilter {
  /** Fields of the object itself that need not even be compared. */
  readonly skipped: ReadonlySet<string>;
  /** Whether nothing else is left out. */
  readonly skipsOnly: boolean;
  /** Answers the set itself if all of it may be owned. */
  apply(set: FieldSet): FieldSet;
}

/** Where a write differs from the rule that the object has no say in `status` and `status` none in `spec`. */
const excluded: Readonly<Record<string, readonly string[]>> = {
  '/pods/status': ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
  '/namespaces/finalize': ['status'],
  'apps/deployments/status': ['spec', 'metadata.labels'],
  'admissionregistration.k8s.io/validatingadmissionpolicies/status': ['metadata', 'spec'],
  'apiextensions.k8s.io/customresourcedefinitions/status': ['metadata', 'spec'],
  'apiregistration.k8s.io/apiservices/status': ['metadata', 'spec'],
  'certificates.k8s.io/certificatesigningrequests': ['spec', 'status'],
  'certificates.k8s.io/certificatesigningrequests/approval': ['spec', 'status.certificate'],
  'certificates.k8s.io/certificatesigningrequests/status': ['spec', 'status.conditions'],
  'flowcontrol.apiserver.k8s.io/flowschemas/status': ['metadata', 'spec'],
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/status': ['metadata', 'spec'],
  'internal.apiserver.k8s.io/storageversions/status': ['metadata', 'spec'],
  'resource.k8s.io/resourceclaims/status': ['metadata', 'spec'],
  'storage.k8s.io/volumeattachments/status': ['metadata', 'spec'],
};

/** Writes that have a say in these fields only; `*` is any element. */
const included: Readonly<Record<string, readonly string[]>> = {
  '/pods/resize': [
    'spec.containers.*.resources',
    'spec.containers.*.resizePolicy',
    'spec.initContainers.*.resources',
    'spec.initContainers.*.resizePolicy',
  ],
};

const noneSkipped: ReadonlySet<string> = new Set();
export const everything: WriteFilter = { skipped: noneSkipped, skipsOnly: true, apply: (set) => set };

const filters = new Map<string, WriteFilter>();

export interface WriteTarget {
  readonly group: string;
  readonly resource: string;
  /** `''`: the object itself. */
  readonly subresource: string;
  /** Whether the resource has a `status` subresource. */
  readonly hasStatus: boolean;
}

export function writeFilter({ group, resource, subresource, hasStatus }: WriteTarget): WriteFilter {
  const id = `${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`;
  let filter = filters.get(id);
  if (filter === undefined) {
    filter = makeFilter(id, subresource, hasStatus);
    filters.set(id, filter);
  }
  return filter;
}

function makeFilter(id: string, subresource: string, hasStatus: boolean): WriteFilter {
  const only = included[id];
  if (only !== undefined) return including(only);
  const byRule = subresource === 'status' ? ['spec'] : hasStatus ? ['status'] : [];
  return excluding(excluded[id] ?? byRule);
}

function excluding(paths: readonly string[]): WriteFilter {
  if (paths.length === 0) return everything;
  const set = setOf(...paths.map((path) => path.split('.').map(fieldElement)));
  return {
    skipped: new Set(paths.filter((path) => !path.includes('.'))),
    skipsOnly: paths.every((path) => !path.includes('.')),
    apply: (fields) => recursiveDifference(fields, set),
  };
}

function including(paths: readonly string[]): WriteFilter {
  const patterns = paths.map((path) => path.split('.'));
  return { skipped: noneSkipped, skipsOnly: false, apply: (fields) => matching(fields, patterns) };
}

/** The members that any pattern leads to, with all below them. */
function matching(set: FieldSet, patterns: readonly (readonly string[])[]): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const element in set) {
    if (element === self) continue;
    const inner = patterns.filter(([first]) => first === '*' || fieldElement(first ?? '') === element);
    if (inner.length === 0) continue;
    const child = set[element] as FieldSet;
    if (inner.some((pattern) => pattern.length === 1)) {
      children.push([element, child]);
      continue;
    }
    const below = matching(
      child,
      inner.map((pattern) => pattern.slice(1)),
    );
    if (!isEmpty(below)) children.push([element, below]);
  }
  return children.length === 0 ? leaf : nodeOf(children, false);
}

/** Whether a client asks to forget all owners: an empty list, or a list of one empty entry. */
export function forgetsManagers(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0);
}

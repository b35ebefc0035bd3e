import type { Namespace } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkName } from '../checks.ts';
import { type Findings, invalid } from '../findings.ts';
import { asPrefix, dns1123Label, qualifiedName } from '../names.ts';
import { strategyOf } from '../plain.ts';

/** The finalizer behind which everything in the namespace is deleted first. */
export const namespaceFinalizer = 'kubernetes';
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

const standardFinalizers = new Set([namespaceFinalizer, 'orphan', 'foregroundDeletion']);

export const namespaceStrategy = strategyOf<Namespace>({
  validateName: asPrefix(dns1123Label),
  prepareForCreate: (namespace) => {
    const finalizers = namespace.spec?.finalizers ?? [];
    return {
      ...withNameLabel(namespace),
      spec: {
        ...namespace.spec,
        finalizers: finalizers.includes(namespaceFinalizer) ? finalizers : [...finalizers, namespaceFinalizer],
      },
      status: { phase: 'Active' },
    };
  },
  prepareForUpdate: (next, old) => {
    const { finalizers: _finalizers, ...spec } = next.spec ?? {};
    const finalizers = old.spec?.finalizers;
    return { ...withNameLabel(next), spec: finalizers === undefined ? spec : { ...spec, finalizers } };
  },
  checkCreate: (findings, namespace) => {
    for (const finalizer of namespace.spec?.finalizers ?? []) checkFinalizer(findings, finalizer, 'spec.finalizers');
  },
  checkStatus: (findings, next) => {
    const phase = next.status?.phase;
    const isGoing = next.metadata?.deletionTimestamp !== undefined;
    if (!isGoing && phase !== 'Active') {
      findings.push(invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty"));
    } else if (isGoing && phase !== 'Terminating') {
      findings.push(invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"));
    }
  },
  subresources: {
    finalize: {
      prepare: (next, old) => ({
        ...next,
        ...(old.status === undefined ? {} : { status: old.status }),
      }),
      check: (findings, next) => {
        for (const [index, finalizer] of (next.spec?.finalizers ?? []).entries()) {
          checkFinalizer(findings, finalizer, `spec.finalizers[${index}]`);
        }
      },
    },
  },
  fieldSelectors: {
    'status.phase': (namespace) => namespace.status?.phase ?? '',
    name: (namespace) => namespace.metadata?.name ?? '',
  },
  columns: [nameColumn, text('Status', (namespace) => namespace.status?.phase ?? ''), ageColumn],
});

/** Selectors over namespaces can always name one, because every namespace carries its name as a label. */
function withNameLabel(namespace: Namespace): Namespace {
  const name = namespace.metadata?.name;
  if (name === undefined || namespace.metadata?.labels?.[namespaceNameLabel] === name) return namespace;
  const labels = { ...namespace.metadata?.labels, [namespaceNameLabel]: name };
  return { ...namespace, metadata: { ...namespace.metadata, labels } };
}

function checkFinalizer(findings: Findings, finalizer: string, path: string): void {
  checkName(findings, qualifiedName, finalizer, path);
  if (!finalizer.includes('/') && !standardFinalizers.has(finalizer)) {
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    findings.push(invalid(path, finalizer, detail));
  }
}

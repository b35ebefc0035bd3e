// A Scale shows one field of its object. Who owns that field is told in the terms of either.
import { difference, type FieldSet, has, isEmpty, setOf, union } from './field-set.ts';
import { entriesOf, type Manager, managersOf, sameManager } from './managers.ts';
import { withFields } from './ownership.ts';
import type { Entries } from './track-update.ts';

export const scaleApiVersion = 'autoscaling/v1';

/** `spec.replicas`, in a Scale and in all kinds that have one. */
const replicas: readonly string[] = ['f:spec', 'f:replicas'];
const replicasOnly: FieldSet = setOf(replicas);

/** The object's entries as those of its Scale. */
export function scaleEntries(entries: Entries): Entries {
  const owners = managersOf(entries).filter(({ fields }) => has(fields, replicas));
  return entriesOf(owners.map((manager) => ({ ...withFields(manager, replicasOnly), apiVersion: scaleApiVersion })));
}

/**
 * The entries of the object once its Scale has these. As upstream, an entry's time is the one that it had in the
 * object, so one that is new here has none.
 */
export function parentEntries(parent: Entries, scale: Entries, apiVersion: string): Entries {
  const scalers = managersOf(scale).filter(({ fields }) => has(fields, replicas));
  const managers: Manager[] = [];
  const seen = new Set<Manager>();
  for (const manager of managersOf(parent)) {
    const scaler = scalers.find((other) => sameManager({ ...other, apiVersion: manager.apiVersion }, manager));
    if (scaler !== undefined) {
      seen.add(scaler);
      const fields = union(manager.fields, replicasOnly);
      managers.push(fields === manager.fields ? manager : withFields(manager, fields));
      continue;
    }
    const fields = difference(manager.fields, replicasOnly);
    if (fields === manager.fields) managers.push(manager);
    else if (!isEmpty(fields)) managers.push(withFields(manager, fields));
  }
  for (const scaler of scalers) {
    if (!seen.has(scaler)) managers.push({ ...withFields(scaler, replicasOnly), apiVersion, time: undefined });
  }
  return entriesOf(managers);
}

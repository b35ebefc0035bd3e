import type { ApiObject, ManagedFieldsEntry } from '@wherry/api';

type Fields = { readonly [element: string]: Fields };

/**
 * What was applied by the client, as applied by the server's manager: without this, nothing that a manifest states no
 * more would go. A JSON patch; undefined when there is nothing to take over.
 */
export function migrationPatch(live: ApiObject, from: string, to: string): readonly object[] | undefined {
  const { managedFields = [], resourceVersion } = live.metadata ?? {};
  const old = managedFields.find((entry) => isOf(entry, from, 'Update'));
  if (old === undefined) return undefined;
  const present = managedFields.find((entry) => isOf(entry, to, 'Apply'));
  const fieldsV1 = union((present?.fieldsV1 ?? {}) as Fields, (old.fieldsV1 ?? {}) as Fields);
  const merged = { ...old, ...present, manager: to, operation: 'Apply', fieldsV1 };
  const value = [...managedFields.filter((entry) => entry !== old && entry !== present), merged];
  return [
    { op: 'replace', path: '/metadata/managedFields', value },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

function isOf(entry: ManagedFieldsEntry, manager: string, operation: string): boolean {
  return entry.manager === manager && entry.operation === operation && (entry.subresource ?? '') === '';
}

/** The server puts it in order. */
function union(left: Fields, right: Fields): Fields {
  const all: Record<string, Fields> = { ...left };
  for (const [element, below] of Object.entries(right)) {
    const mine = left[element];
    all[element] = mine === undefined ? below : unionBelow(mine, below);
  }
  return all;
}

/** Nothing below a field means that the field itself is meant. */
function unionBelow(left: Fields, right: Fields): Fields {
  const whole = [left, right].some((fields) => Object.keys(fields).length === 0);
  const all = union(left, right);
  return whole && Object.keys(all).length > 0 ? { '.': {}, ...all } : all;
}

import {
  badRequest,
  exactFieldValue,
  type FieldRequirement,
  fieldsMatch,
  type LabelFilter,
  labelsMatch,
} from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { Selection } from '../cache/watcher.ts';
import type { ServedKind, StoredKind } from './served-kind.ts';

/** What a list, watch or deletecollection is about. */
export interface EntrySelection extends Selection {
  /** Given when the selector asks for one name. */
  readonly name: string | undefined;
  readonly selectsAll: boolean;
}

/** @throws StatusError BadRequest for a field that the kind does not offer */
export function selectionOf(
  kind: ServedKind,
  stored: StoredKind,
  namespace: string,
  labels: LabelFilter | undefined,
  fields: readonly FieldRequirement[],
): EntrySelection {
  const storedFields = checkFields(kind, stored, fields);
  const byIdentityOnly = labels === undefined && fields.every(({ field }) => field.startsWith('metadata.'));
  const selectsAll = labels === undefined && fields.length === 0;
  const matches = selectsAll
    ? () => true
    : (entry: Entry) =>
        fieldsMatch(storedFields, (field) => entry.attributes.fields[field] ?? '') &&
        (labels === undefined || labelsMatch(labels, entry.attributes.labels));
  return {
    namespace: namespace === '' ? undefined : namespace,
    name: exactFieldValue(fields, 'metadata.name'),
    matches,
    byIdentityOnly,
    selectsAll,
  };
}

/** events.k8s.io selects on its own names of the fields that are stored as core/v1. */
const eventFields: Readonly<Record<string, string>> = {
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
  reportingController: 'reportingComponent',
};

function checkFields(
  kind: ServedKind,
  stored: StoredKind,
  fields: readonly FieldRequirement[],
): readonly FieldRequirement[] {
  return fields.map((requirement) => {
    const { field } = requirement;
    if (field === 'metadata.name' || (field === 'metadata.namespace' && stored.namespaced)) {
      return requirement;
    }
    const renamed = kind.resource.group === 'events.k8s.io' ? (eventFields[field] ?? field) : field;
    if (stored.strategy.fieldSelectors === undefined || !Object.hasOwn(stored.strategy.fieldSelectors, renamed)) {
      throw badRequest(`field label not supported: ${field}`);
    }
    return renamed === field ? requirement : { ...requirement, field: renamed };
  });
}

import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  labelValueProblems,
  type ObjectMeta,
  qualifiedNameProblems,
  required,
} from '@wherry/api';
import type { StoredKind } from './served-kind.ts';

/** All annotations of an object together. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;
/** A generated suffix has five characters, and names 63 at most. */
const GENERATED_PREFIX_LENGTH_MAX = 58;

export function generatedName(prefix: string, suffix: string): string {
  return `${prefix.slice(0, GENERATED_PREFIX_LENGTH_MAX)}${suffix}`;
}

/** What every object's metadata must satisfy (upstream's ValidateObjectMeta). */
export function metadataErrors(stored: StoredKind, metadata: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  const validateName = stored.strategy.validateName ?? ((name: string) => dns1123SubdomainProblems(name));
  if (metadata.generateName !== undefined && metadata.generateName !== '') {
    // A prefix may end where a whole name may not.
    for (const text of validateName(maskTrailingDash(metadata.generateName), true)) {
      errors.push(invalidValue('metadata.generateName', metadata.generateName, text));
    }
  }
  if (metadata.name === undefined || metadata.name === '') {
    errors.push(required('metadata.name', 'name or generateName is required'));
  } else {
    for (const text of validateName(metadata.name, false)) {
      errors.push(invalidValue('metadata.name', metadata.name, text));
    }
  }
  if (stored.namespaced) {
    errors.push(...namespaceErrors(metadata.namespace));
  } else if (metadata.namespace !== undefined && metadata.namespace !== '') {
    errors.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
  }
  errors.push(
    ...labelErrors(metadata),
    ...annotationErrors(metadata),
    ...ownerErrors(metadata),
    ...finalizerErrors(metadata),
  );
  return errors;
}

function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

function namespaceErrors(namespace: string | undefined): readonly FieldError[] {
  if (namespace === undefined || namespace === '') {
    return [required('metadata.namespace', '')];
  }
  return dns1123LabelProblems(namespace).map((text) => invalidValue('metadata.namespace', namespace, text));
}

function labelErrors(metadata: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    for (const text of qualifiedNameProblems(key)) {
      errors.push(invalidValue('metadata.labels', key, text));
    }
    for (const text of labelValueProblems(value)) {
      errors.push(invalidValue('metadata.labels', value, text));
    }
  }
  return errors;
}

function annotationErrors(metadata: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    sizeBytes += key.length + Buffer.byteLength(value);
    for (const text of qualifiedNameProblems(key.toLowerCase())) {
      errors.push(invalidValue('metadata.annotations', key, text));
    }
  }
  if (sizeBytes > ANNOTATIONS_BYTES_MAX) {
    errors.push({
      type: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`,
    });
  }
  return errors;
}

function ownerErrors(metadata: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    const at = `metadata.ownerReferences[${index}]`;
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if ((owner[field] ?? '') === '') {
        errors.push(
          invalidValue(
            `${at}.${field}`,
            owner[field] ?? '',
            `${field === 'apiVersion' ? 'version' : field} must not be empty`,
          ),
        );
      }
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      errors.push(invalidValue(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller === true) {
      if (controller !== undefined) {
        errors.push(
          invalidValue(
            'metadata.ownerReferences',
            metadata.ownerReferences,
            `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
          ),
        );
      }
      controller = owner.name;
    }
  }
  return errors;
}

/** Finalizers without a domain that are part of the system. */
const plainFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

function finalizerErrors(metadata: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  const finalizers = metadata.finalizers ?? [];
  for (const finalizer of finalizers) {
    for (const text of qualifiedNameProblems(finalizer)) {
      errors.push(invalidValue('metadata.finalizers', finalizer, text));
    }
    if (!finalizer.includes('/') && !plainFinalizers.has(finalizer)) {
      errors.push(
        invalidValue(
          'metadata.finalizers',
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      );
    }
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(
      invalidValue('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  }
  for (const [index, finalizer] of finalizers.entries()) {
    if (finalizers.indexOf(finalizer) !== index) {
      errors.push(duplicate(`metadata.finalizers[${index}]`, finalizer));
    }
  }
  return errors;
}

/** What an update may not change; `next` already carries over what clients need not send. */
export function metadataUpdateErrors(stored: StoredKind, next: ObjectMeta, old: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [...metadataErrors(stored, next)];
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const) {
    if ((next[field] ?? '') !== (old[field] ?? '')) {
      errors.push(invalidValue(`metadata.${field}`, next[field] ?? '', 'field is immutable'));
    }
  }
  if (old.deletionTimestamp !== undefined) {
    const known = new Set(old.finalizers ?? []);
    const added = (next.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
    if (added.length > 0) {
      errors.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
        ),
      );
    }
  }
  return errors;
}

/** Metadata of an update: what only the server sets comes from the old object. */
export function carryOver(next: ObjectMeta, old: ObjectMeta, managedFields: ObjectMeta['managedFields']): ObjectMeta {
  const {
    managedFields: _managed,
    selfLink: _self,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    ...rest
  } = next;
  return {
    ...rest,
    ...(rest.uid === undefined || rest.uid === '' ? optional('uid', old.uid) : {}),
    ...optional('creationTimestamp', old.creationTimestamp),
    ...optional('deletionTimestamp', old.deletionTimestamp),
    ...optional('deletionGracePeriodSeconds', old.deletionGracePeriodSeconds),
    ...optional('generation', old.generation),
    ...optional('generateName', old.generateName),
    ...optional('managedFields', managedFields),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}

import {
  conflict,
  type DeleteOptions,
  type FieldError,
  facts,
  invalid,
  invalidValue,
  methodNotSupported,
  notSupported,
  type Status,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import type { Entry } from '../cache/entry.ts';
import { BODY_BYTES_MAX, bodyType, parseBody } from '../http/body.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { isTrue } from '../http/request-info.ts';
import { success, valueResponse } from '../http/respond.ts';
import type { StoredRequest } from './context.ts';
import { decodeValue } from './decode.ts';
import { type Propagation, planDeletion } from './deletion-plan.ts';
import type { Change, Updated } from './object-store.ts';
import { entryResponse } from './render.ts';

const deleteOptionsKind = { group: '', version: 'v1', kind: 'DeleteOptions' };

/** A DELETE's options, from its body and its query. */
export interface Deletion {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: Propagation | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
}

/** Kinds whose DELETE answers with the object, as upstream; the others answer a Status. */
const answersObject = new Set([
  'pods',
  'podtemplates',
  'persistentvolumes',
  'persistentvolumeclaims',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

export async function remove(from: StoredRequest): Promise<ApiResponse> {
  const { stored, kind, info } = from;
  if (stored.namespaced && info.namespace === '') {
    throw methodNotSupported(kind.resource, 'delete');
  }
  const deletion = await readDeletion(from);
  const result = await removeObject(from, stored.namespaced ? info.namespace : '', info.name, deletion);
  if (result.kind !== 'removed' || answersObject.has(stored.resource)) {
    return entryResponse(from, 200, result.entry);
  }
  return valueResponse(200, removedStatus(from, result.entry), { ...from.how, form: 'object' });
}

function removedStatus(from: StoredRequest, entry: Entry): Status {
  const { group, resource } = from.stored;
  const uid = entry.object().metadata?.uid;
  return success({
    name: entry.name,
    ...(group === '' ? {} : { group }),
    kind: resource,
    ...(uid === undefined ? {} : { uid }),
  });
}

/** Marks or removes one object. @throws StatusError NotFound, Conflict, Forbidden */
export async function removeObject(
  from: StoredRequest,
  namespace: string,
  name: string,
  deletion: Deletion,
): Promise<Updated> {
  const { registry, stored, user } = from;
  const result = await registry.store.update(
    stored,
    namespace,
    name,
    { dryRun: deletion.dryRun },
    async (current): Promise<Change> => {
      checkPreconditions(from, current, deletion);
      await registry.admission.validate({
        operation: 'DELETE',
        stored,
        subresource: '',
        namespace,
        name,
        object: undefined,
        old: current.object(),
        user,
        dryRun: deletion.dryRun,
        warnings: from.warnings,
      });
      const plan = planDeletion(current.object(), stored.strategy, deletion, registry.clock.now(), rfc3339);
      return plan.kind === 'mark' ? { kind: 'write', object: plan.object } : plan;
    },
  );
  if (result.kind === 'removed' && !deletion.dryRun) {
    await registry.allocation.release(stored, result.entry.object());
  }
  return result;
}

function checkPreconditions(from: StoredRequest, current: Entry, deletion: Deletion): void {
  const uid = current.object().metadata?.uid ?? '';
  if (deletion.uid !== undefined && deletion.uid !== uid) {
    throw conflict(
      from.stored,
      current.name,
      `Precondition failed: UID in precondition: ${deletion.uid}, UID in object meta: ${uid}`,
    );
  }
  const revision = String(current.revision);
  if (deletion.resourceVersion !== undefined && deletion.resourceVersion !== revision) {
    throw conflict(
      from.stored,
      current.name,
      `Precondition failed: ResourceVersion in precondition: ${deletion.resourceVersion}, ResourceVersion in object meta: ${revision}`,
    );
  }
}

/** @throws StatusError BadRequest, Invalid */
export async function readDeletion(from: StoredRequest): Promise<Deletion> {
  const { query, request } = from;
  const bytes = await request.readBody(BODY_BYTES_MAX);
  let options: DeleteOptions;
  if (bytes.length > 0) {
    const value = parseBody(bytes, bodyType(request.header('content-type')), deleteOptionsKind);
    options = decodeDeleteOptions(value);
  } else {
    options = fromQuery(query);
  }
  const errors = optionErrors(options);
  if (errors.length > 0) {
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  }
  return {
    gracePeriodSeconds: options.gracePeriodSeconds === undefined ? undefined : Math.max(0, options.gracePeriodSeconds),
    propagation: propagationOf(options),
    uid: options.preconditions?.uid,
    resourceVersion: options.preconditions?.resourceVersion,
    dryRun: (options.dryRun ?? []).length > 0 || query.get('dryRun') === 'All',
  };
}

function decodeDeleteOptions(value: Parameters<typeof decodeValue>[0]): DeleteOptions {
  const node = facts.ofKind('', 'v1', 'DeleteOptions');
  if (node === undefined) {
    throw new Error('No facts about DeleteOptions');
  }
  // Any group's version will do: the kind is the same in all of them.
  const plain =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, apiVersion: 'v1' } : value;
  return decodeValue(plain, { ...deleteOptionsKind, node }, 'Ignore').object as DeleteOptions;
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  const propagationPolicy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  return {
    ...(grace === null || grace === '' ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
  };
}

function optionErrors(options: DeleteOptions): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { propagationPolicy, orphanDependents, gracePeriodSeconds, dryRun = [] } = options;
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(
      invalidValue(
        'propagationPolicy',
        propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  }
  if (propagationPolicy !== undefined && !isPropagation(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  if (gracePeriodSeconds !== undefined && !Number.isInteger(gracePeriodSeconds)) {
    errors.push(invalidValue('gracePeriodSeconds', String(gracePeriodSeconds), 'must be an integer'));
  }
  if (dryRun.some((value) => value !== 'All')) {
    errors.push(notSupported('dryRun', dryRun, ['All']));
  }
  return errors;
}

function propagationOf({ propagationPolicy, orphanDependents }: DeleteOptions): Propagation | undefined {
  if (propagationPolicy !== undefined && isPropagation(propagationPolicy)) {
    return propagationPolicy;
  }
  return orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background';
}

function isPropagation(text: string): text is Propagation {
  return text === 'Orphan' || text === 'Background' || text === 'Foreground';
}

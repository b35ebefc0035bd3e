import {
  type ApiObject,
  badRequest,
  compileLabelSelector,
  conflict,
  decodeObject,
  facts,
  formatLabelFilter,
  invalid,
  invalidValue,
  type LabelSelector,
  labelFilterOf,
  type Scale,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import type { Entry } from '../../cache/entry.ts';
import type { ApiResponse } from '../../http/exchange.ts';
import { valueResponse } from '../../http/respond.ts';
import { writeFilter } from '../../managedfields/reset-fields.ts';
import { parentEntries, scaleApiVersion, scaleEntries } from '../../managedfields/scale.ts';
import { shapeOfKind } from '../../managedfields/shape.ts';
import { type Entries, trackUpdate, type Writer } from '../../managedfields/track-update.ts';
import type { TrackedKind } from '../../managedfields/tracked-kind.ts';
import type { Bag } from '../../managedfields/values.ts';
import type { Json } from '../../patch/json.ts';
import { readConfig } from '../applied-config.ts';
import { applied409, decodedObject, isApply } from '../apply.ts';
import type { StoredRequest } from '../context.ts';
import { decodeValue, type Expected, readObject } from '../decode.ts';
import { fieldManagerOf } from '../field-tracking.ts';
import { parseWriteOptions, type WriteOptions } from '../options.ts';
import { applyPatch, readPatch } from '../patch.ts';
import { presentObject } from '../present-object.ts';
import { getEntry } from '../read.ts';
import { writeUpdate } from '../update.ts';

/** The parts of a scalable kind that a Scale shows. */
interface Scalable extends ApiObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelector | Readonly<Record<string, string>> };
  readonly status?: { readonly replicas?: number };
}

function expected(): Expected {
  const node = facts.ofKind('autoscaling', 'v1', 'Scale');
  if (node === undefined) {
    throw new Error('No facts about Scale');
  }
  return { group: 'autoscaling', version: 'v1', kind: 'Scale', node };
}

const resource = { group: 'autoscaling', resource: 'scale', subresource: 'scale', hasStatus: false };

/** A Scale as its writers own it; they and those of the object are told apart by `scale` alone. */
function tracked(): TrackedKind {
  const { node } = expected();
  const blank = { metadata: {}, ...decodeObject(node, {}, { fieldValidation: 'Ignore' }).object };
  return { apiVersion: scaleApiVersion, shape: shapeOfKind(node), blank, inVersion: () => undefined };
}

/** get, update and patch of `<resource>/scale`. */
export async function scale(from: StoredRequest): Promise<ApiResponse> {
  switch (from.info.verb) {
    case 'get':
      return respond(from, await getEntry(from));
    case 'update': {
      const options = parseWriteOptions(from.query, 'UpdateOptions');
      const body = await readObject(from.request, expected(), options.fieldValidation);
      return write(from, options, () => body.object as Scale);
    }
    default:
      return isApply(from) ? applyScale(from) : patchScale(from);
  }
}

async function patchScale(from: StoredRequest): Promise<ApiResponse> {
  const options = parseWriteOptions(from.query, 'PatchOptions');
  const parsed = await readPatch(from);
  return write(from, options, (current) => {
    const patched = applyPatch(scaleOf(current) as unknown as Json, parsed, expected());
    return decodeValue(patched, expected(), options.fieldValidation).object as Scale;
  });
}

/** A configuration states how many replicas there shall be. */
async function applyScale(from: StoredRequest): Promise<ApiResponse> {
  const options = parseWriteOptions(from.query, 'apply');
  const kind = tracked();
  const config = await readConfig(from, expected(), kind, options);
  const by = writer(from, options);
  return write(from, options, (current) => {
    const live = scaleOf(current) as unknown as Bag;
    const managed = scaleEntries(current.object().metadata?.managedFields);
    const applied = applied409({ kind, live, managed, config, writer: by, force: options.force });
    return { scale: decodedObject(applied, expected()) as Scale, entries: applied.managed };
  });
}

function writer(from: StoredRequest, { fieldManager }: WriteOptions): Writer {
  const { name: manager, subresource } = fieldManagerOf(from, fieldManager);
  return { manager, subresource, filter: writeFilter(resource), now: rfc3339(from.registry.clock.now()) };
}

/** A Scale, and who owns what of it if that is known. */
type WantedScale = Scale | { readonly scale: Scale; readonly entries: Entries };

async function write(
  from: StoredRequest,
  options: WriteOptions,
  wanted: (current: Entry) => WantedScale,
): Promise<ApiResponse> {
  const { info, kind } = from;
  const by = writer(from, options);
  // The object itself is written, so its own rules for updates apply.
  const asObject: StoredRequest = { ...from, info: { ...info, subresource: '' } };
  const result = await writeUpdate(asObject, options.dryRun, from.warnings, (current) => {
    const found = wanted(current);
    const next = 'scale' in found ? found.scale : found;
    check(from, current, next);
    const replicas = next.spec?.replicas ?? 0;
    const live = current.object().metadata?.managedFields;
    const entries =
      'scale' in found
        ? found.entries
        : trackUpdate(tracked(), bagOf(scaleOf(current)), bagOf(next), scaleEntries(live), undefined, by);
    const object = presentObject(kind, current) as Scalable;
    const managed = {
      entries: live === undefined && !('scale' in found) ? undefined : parentEntries(live, entries, kind.apiVersion),
    };
    return { object: { ...object, spec: { ...object.spec, replicas } } as ApiObject, managed };
  });
  return respond(from, result.entry);
}

function bagOf(scale: Scale): Bag {
  return scale as unknown as Bag;
}

/** @throws StatusError BadRequest, Conflict, Invalid */
function check({ info, stored }: StoredRequest, current: Entry, next: Scale): void {
  if ((next.metadata?.name ?? info.name) !== info.name) {
    throw badRequest(
      `the name of the object (${next.metadata?.name ?? ''}) does not match the name on the URL (${info.name})`,
    );
  }
  const revision = next.metadata?.resourceVersion ?? '';
  if (revision !== '' && revision !== String(current.revision)) {
    throw conflict(stored, info.name);
  }
  const replicas = next.spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, info.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
}

function respond(from: StoredRequest, entry: Entry): ApiResponse {
  return valueResponse(200, scaleOf(entry), from.how);
}

function scaleOf(entry: Entry): Scale {
  const { metadata = {}, spec, status } = entry.object() as Scalable;
  const { name, namespace, uid, creationTimestamp } = metadata;
  const selector = selectorText(spec?.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      resourceVersion: String(entry.revision),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

/** A ReplicationController's selector is a map of labels, the others have LabelSelectors. */
function selectorText(selector: LabelSelector | Readonly<Record<string, string>> | undefined): string {
  if (selector === undefined) {
    return '';
  }
  const isMap = !('matchLabels' in selector) && !('matchExpressions' in selector);
  return formatLabelFilter(
    isMap
      ? labelFilterOf(selector as Readonly<Record<string, string>>)
      : compileLabelSelector(selector as LabelSelector),
  );
}

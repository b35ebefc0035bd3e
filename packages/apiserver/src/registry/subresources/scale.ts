import {
  type ApiObject,
  badRequest,
  compileLabelSelector,
  conflict,
  facts,
  formatLabelFilter,
  invalid,
  invalidValue,
  type LabelSelector,
  labelFilterOf,
  type Scale,
} from '@wherry/api';
import type { Entry } from '../../cache/entry.ts';
import type { ApiResponse } from '../../http/exchange.ts';
import { valueResponse } from '../../http/respond.ts';
import type { Json } from '../../patch/json.ts';
import type { StoredRequest } from '../context.ts';
import { decodeValue, type Expected, readObject } from '../decode.ts';
import { parseWriteOptions } from '../options.ts';
import { applyPatch, readPatch } from '../patch.ts';
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

/** get, update and patch of `<resource>/scale`. */
export async function scale(from: StoredRequest): Promise<ApiResponse> {
  switch (from.info.verb) {
    case 'get':
      return respond(from, await getEntry(from));
    case 'update': {
      const options = parseWriteOptions(from.query, 'UpdateOptions');
      const body = await readObject(from.request, expected(), options.fieldValidation);
      return write(from, options.dryRun, () => body.object as Scale);
    }
    default: {
      const options = parseWriteOptions(from.query, 'PatchOptions');
      const parsed = await readPatch(from);
      return write(from, options.dryRun, (current) => {
        const patched = applyPatch(scaleOf(current) as unknown as Json, parsed, expected());
        return decodeValue(patched, expected(), options.fieldValidation).object as Scale;
      });
    }
  }
}

async function write(from: StoredRequest, dryRun: boolean, wanted: (current: Entry) => Scale): Promise<ApiResponse> {
  const { info, stored } = from;
  // The object itself is written, so its own rules for updates apply.
  const asObject: StoredRequest = { ...from, info: { ...info, subresource: '' } };
  const result = await writeUpdate(asObject, dryRun, from.warnings, (current) => {
    const next = wanted(current);
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
    const object = JSON.parse(current.bytes.toString()) as Scalable;
    return { ...object, spec: { ...object.spec, replicas } } as ApiObject;
  });
  return respond(from, result.entry);
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

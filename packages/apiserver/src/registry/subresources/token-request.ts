import {
  applyDefaults,
  conflict,
  type FieldError,
  facts,
  invalid,
  invalidValue,
  notFound,
  resources,
  type TokenRequest,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import type { BoundReference, ServiceAccountTokens } from '../../auth/service-account-tokens.ts';
import type { ApiResponse } from '../../http/exchange.ts';
import { valueResponse } from '../../http/respond.ts';
import type { StoredRequest } from '../context.ts';
import { readObject } from '../decode.ts';
import { parseWriteOptions } from '../options.ts';

const EXPIRATION_SECONDS_MIN = 600;
const EXPIRATION_SECONDS_MAX = 2 ** 32;
const EXPIRATION_SECONDS_DEFAULT = 3600;
/** What kubelets ask for; such tokens live longer than they say, for clients that do not reload (upstream's default). */
const KUBELET_EXPIRATION_SECONDS = 3607;
const EXTENDED_EXPIRATION_SECONDS = 365 * 24 * 3600;

/** POST of `serviceaccounts/<name>/token`. */
export async function requestToken(from: StoredRequest, tokens: ServiceAccountTokens): Promise<ApiResponse> {
  const options = parseWriteOptions(from.query, 'CreateOptions');
  const node = facts.ofKind('authentication.k8s.io', 'v1', 'TokenRequest');
  if (node === undefined) {
    throw new Error('No facts about TokenRequest');
  }
  const expected = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', node };
  const body = await readObject(from.request, expected, options.fieldValidation);
  const request = applyDefaults(expected.group, expected.version, expected.kind, body.object as TokenRequest);
  const { info, registry } = from;
  const account = await registry.reader.readFresh(resources.serviceaccounts, info.namespace, info.name);
  if (account === undefined) {
    throw notFound(resources.serviceaccounts, info.name);
  }
  await registry.admission.admit(
    {
      operation: 'CREATE',
      stored: from.stored,
      subresource: 'token',
      namespace: info.namespace,
      name: info.name,
      object: request,
      old: account,
      user: from.user,
      dryRun: options.dryRun,
      warnings: from.warnings,
    },
    request,
  );
  const asked = request.spec.expirationSeconds ?? EXPIRATION_SECONDS_DEFAULT;
  checkExpiration(asked, info.name);
  // kubectl leaves the field out although the schema requires it.
  const wanted: readonly string[] | undefined = request.spec.audiences;
  const audiences = wanted === undefined || wanted.length === 0 ? tokens.audiences : wanted;
  const bound = await boundObject(from, request);
  const forApi =
    audiences.length === tokens.audiences.length && audiences.every((item) => tokens.audiences.includes(item));
  const extended = forApi && asked === KUBELET_EXPIRATION_SECONDS && bound.pod !== undefined;
  const signed = await tokens.sign(
    {
      namespace: info.namespace,
      serviceaccount: { name: info.name, uid: account.metadata?.uid ?? '' },
      ...bound,
      ...(extended ? { warnafter: Math.floor(registry.clock.now() / 1000) + asked } : {}),
    },
    audiences,
    extended ? EXTENDED_EXPIRATION_SECONDS : asked,
  );
  const shownExpiry = extended ? registry.clock.now() / 1000 + asked : signed.expiresAtSeconds;
  const answer: TokenRequest = {
    ...request,
    metadata: {
      name: info.name,
      namespace: info.namespace,
      creationTimestamp: rfc3339(registry.clock.now()),
    },
    spec: { ...request.spec, audiences, expirationSeconds: asked },
    status: { token: signed.token, expirationTimestamp: rfc3339(shownExpiry * 1000) },
  };
  return valueResponse(201, answer, from.how);
}

function checkExpiration(seconds: number, name: string): void {
  const errors: FieldError[] = [];
  if (seconds < EXPIRATION_SECONDS_MIN) {
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > EXPIRATION_SECONDS_MAX) {
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (errors.length > 0) {
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, errors);
  }
}

interface Bound {
  readonly pod?: BoundReference;
  readonly node?: BoundReference;
  readonly secret?: BoundReference;
}

/** The object whose life the token shares; a pod's node is noted as well. */
async function boundObject(from: StoredRequest, request: TokenRequest): Promise<Bound> {
  const reference = request.spec.boundObjectRef;
  if (reference === undefined) {
    return {};
  }
  const { reader } = from.registry;
  const { kind = '', apiVersion = '', name = '', uid = '' } = reference;
  switch (`${apiVersion}/${kind}`) {
    case 'v1/Pod': {
      const pod = await reader.readFresh(resources.pods, from.info.namespace, name);
      const bound = checkUid(from, 'pods', name, uid, pod?.metadata?.uid);
      if (pod?.spec?.serviceAccountName !== from.info.name) {
        throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, [
          invalidValue(
            'spec.boundObjectRef',
            name,
            `cannot bind token for serviceaccount ${JSON.stringify(from.info.name)} to pod running with different serviceaccount name.`,
          ),
        ]);
      }
      const nodeName = pod.spec.nodeName ?? '';
      const node = nodeName === '' ? undefined : reader.read(resources.nodes, '', nodeName);
      const nodeUid = node?.metadata?.uid;
      return { pod: bound, ...(nodeUid === undefined ? {} : { node: { name: nodeName, uid: nodeUid } }) };
    }
    case 'v1/Node': {
      const node = await reader.readFresh(resources.nodes, '', name);
      return { node: checkUid(from, 'nodes', name, uid, node?.metadata?.uid) };
    }
    case 'v1/Secret': {
      const secret = await reader.readFresh(resources.secrets, from.info.namespace, name);
      return { secret: checkUid(from, 'secrets', name, uid, secret?.metadata?.uid) };
    }
    default:
      throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, from.info.name, [
        invalidValue('spec.boundObjectRef', `${apiVersion}/${kind}`, 'only Pod, Node and Secret can be bound'),
      ]);
  }
}

function checkUid(
  from: StoredRequest,
  resource: string,
  name: string,
  wanted: string,
  actual: string | undefined,
): BoundReference {
  if (actual === undefined) {
    throw notFound({ group: '', resource }, name);
  }
  if (wanted !== '' && wanted !== actual) {
    throw conflict(
      { group: '', resource },
      name,
      `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated (${from.info.namespace})`,
    );
  }
  return { name, uid: actual };
}

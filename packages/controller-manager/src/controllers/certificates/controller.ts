import {
  type CertificateSigningRequest,
  type CertificateSigningRequestCondition,
  isNotFound,
  resources,
  type SubjectAccessReview,
} from '@wherry/api';
import type { Informer, Outcome } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { BY_SERVICE } from '../../spine/caches.ts';
import type { CertificateAuthority } from '../../spine/certificate-authority.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { textOf } from '../../spine/pod-actions.ts';
import {
  approval,
  durationMs,
  isOwnServingRequest,
  isToBeSigned,
  KUBELET_SERVING,
  type KubeletRequest,
  keptForMs,
  kubeletRequests,
  NODE_PREFIX,
  type RequestedSubject,
  refusal,
  refused,
  stateOf,
} from './plan.ts';
import { knownAddresses } from './serving-addresses.ts';

/** Requests worked on at once (upstream's number). */
const WORKERS = 5;
/** The library for certificates is large and seldom needed: it is loaded with the first request. */
const loadAuthority = () => import('../../spine/certificate-authority.ts');

export function startCertificateApproving(context: ControllerContext): void {
  const { caches, options } = context;
  const ranges = [options.serviceCidr, options.clusterCidr].flatMap((text) => text?.split(',') ?? []);
  const requests = caches.of(resources.certificatesigningrequests);
  const nodes = caches.of(resources.nodes);
  const keyed = new Keyed(context, 'certificatesigningrequest-approving-controller');
  keyed.followOwn(requests);
  // A node may ask before it has said which addresses it has.
  keyed.follow(nodes, ({ key }) => waitingOf(requests, key));
  const slices = caches.of(resources.endpointslices);
  const maps = caches.of(resources.configmaps);
  keyed.run(WORKERS, [anyCache(requests), anyCache(nodes), anyCache(slices), anyCache(maps)], async (name, signal) => {
    const request = requests.get(name);
    if (request === undefined || stateOf(request) !== 'pending') return undefined;
    const { readRequest } = await loadAuthority();
    let subject: RequestedSubject;
    try {
      subject = (await readRequest(decode(request.spec.request))).subject;
    } catch (error) {
      context.logger.info({ request: name, reason: textOf(error) }, 'a certificate request cannot be read');
      return undefined;
    }
    const known = knownAddresses(subject.commonName.slice(NODE_PREFIX.length), {
      nodes: nodes.list(),
      serverSlices: slices.byIndex(BY_SERVICE, 'default/kubernetes'),
      clusterInfo: maps.get('kube-public/cluster-info'),
      ranges,
    });
    const kinds: readonly KubeletRequest[] = isOwnServingRequest(request, subject, known)
      ? ['selfnodeserver']
      : kubeletRequests(request, subject);
    for (const kind of kinds) {
      if (!(await isAllowed(context, request, kind, signal))) continue;
      const condition = approval(kind, rfc3339(context.clock.now()));
      await write(context, keyed, requests, request, condition, 'approval', approvalWhy[kind], signal);
      return undefined;
    }
    return undefined;
  });
}

/** Requests of a node for a certificate to serve with that nobody has decided on. */
function waitingOf(requests: Informer<CertificateSigningRequest>, node: string): readonly string[] {
  return requests
    .list()
    .filter(({ spec }) => spec.signerName === KUBELET_SERVING && spec.username === `${NODE_PREFIX}${node}`)
    .filter((request) => stateOf(request) === 'pending')
    .map(({ metadata }) => metadata?.name ?? '');
}

const approvalWhy: Readonly<Record<KubeletRequest, string>> = {
  selfnodeclient: 'a kubelet renews its client certificate',
  nodeclient: 'a kubelet asks for its client certificate',
  selfnodeserver: 'a kubelet asks for a certificate for its own address',
};

/** Whether the requester may have its kubelet certificate without a human's approval. */
async function isAllowed(
  context: ControllerContext,
  request: CertificateSigningRequest,
  subresource: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { username = '', uid, groups, extra } = request.spec;
  const review: SubjectAccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: username,
      ...(uid !== undefined && { uid }),
      ...(groups !== undefined && { groups }),
      ...(extra !== undefined && { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource,
        verb: 'create',
        version: '*',
      },
    },
  };
  const answer = await context.client.create(resources.subjectaccessreviews, review, { signal });
  return answer.status?.allowed === true;
}

export function startCertificateSigning(context: ControllerContext): void {
  const { clusterSigning } = context.options;
  if (clusterSigning === undefined) {
    context.logger.info({ controller: 'csrsigning' }, 'not started: no --cluster-signing-cert-file and -key-file');
    return;
  }
  const requests = context.caches.of(resources.certificatesigningrequests);
  const keyed = new Keyed(context, 'certificatesigningrequest-signing-controller');
  let authority: Promise<CertificateAuthority> | undefined;
  keyed.followOwn(requests);
  keyed.run(WORKERS, [anyCache(requests)], async (name, signal) => {
    const request = requests.get(name);
    if (request === undefined || !isToBeSigned(request)) return undefined;
    const { CertificateAuthority: Authority, readRequest } = await loadAuthority();
    authority ??= Authority.load(clusterSigning, context.random);
    const now = rfc3339(context.clock.now());
    const { request: wish, subject } = await readRequest(decode(request.spec.request));
    const problem = refusal(request, subject);
    if (problem !== undefined) {
      await write(context, keyed, requests, request, refused(problem, now), 'status', problem, signal);
      return undefined;
    }
    const { usages = [] } = request.spec;
    const lifeMs = durationMs(request, context.options.clusterSigningDurationMs);
    const pem = await (await authority).sign(wish, usages, context.clock.now(), lifeMs);
    const certificate = Buffer.from(pem).toString('base64');
    await write(context, keyed, requests, request, undefined, 'status', 'it is approved', signal, certificate);
    return undefined;
  });
}

export function startCertificateCleaning(context: ControllerContext): void {
  const { caches, client, clock } = context;
  const requests = caches.of(resources.certificatesigningrequests);
  const keyed = new Keyed(context, 'certificatesigningrequest-cleaner-controller');
  keyed.followOwn(requests);
  keyed.run(1, [anyCache(requests)], async (name, signal): Promise<Outcome | undefined> => {
    const request = requests.get(name);
    if (request === undefined) return undefined;
    const leftMs = keptForMs(request, clock.now());
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid = '' } = request.metadata ?? {};
    try {
      await client.delete(resources.certificatesigningrequests, name, { preconditions: { uid }, signal });
      keyed.own.deleted(name, requests, name, uid);
      const actions = [{ verb: 'delete', key: `certificatesigningrequests/${name}` }];
      keyed.acted(name, [request], `it has been ${stateOf(request)} for long`, actions);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  });
}

async function write(
  context: ControllerContext,
  keyed: Keyed,
  requests: Informer<CertificateSigningRequest>,
  request: CertificateSigningRequest,
  condition: CertificateSigningRequestCondition | undefined,
  subresource: 'approval' | 'status',
  why: string,
  signal: AbortSignal,
  certificate?: string,
): Promise<void> {
  const name = request.metadata?.name ?? '';
  const next: CertificateSigningRequest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    ...request,
    status: {
      ...request.status,
      ...(condition !== undefined && { conditions: [...(request.status?.conditions ?? []), condition] }),
      ...(certificate !== undefined && { certificate }),
    },
  };
  const written = await context.client.update(resources.certificatesigningrequests, next, { subresource, signal });
  const { resourceVersion } = written.metadata ?? {};
  keyed.own.wrote(name, requests, resourceVersion);
  const actions = [{ verb: `update-${subresource}`, key: `certificatesigningrequests/${name}`, resourceVersion }];
  keyed.acted(name, [request], why, actions);
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

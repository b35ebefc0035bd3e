import {
  forbidden,
  internalError,
  type Pod,
  type PodSpec,
  resources,
  type ServiceAccount,
  type Volume,
  type VolumeMount,
} from '@wherry/api';
import { type Clock, type Random, randomSuffix } from '@wherry/daemon';
import type { ObjectReader } from '../cache/object-reader.ts';
import { type AdmissionPlugin, isResource } from './chain.ts';
import { mountProblem } from './mountable-secrets.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** Upstream's WarnOnlyBoundTokenExpirationPeriod plus an hour would be for old clients; tokens are rotated by kubelets. */
const TOKEN_EXPIRATION_SECONDS = 3607;

/** How often, and how far apart, upstream looks for an account that should be there any moment. */
const DEFAULT_ATTEMPTS = 10;
const ATTEMPT_MS = 100;

/** Every pod runs as a service account, whose token, CA and namespace it finds as files. */
export function serviceAccount(reader: ObjectReader, random: Random, clock: Clock): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    resources: ['/pods'],
    async admit(attributes, object) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, '', 'pods')) {
        return object;
      }
      const pod = object as Pod;
      if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
        refuseMirror(pod, attributes.name);
        return pod;
      }
      const name = pod.spec?.serviceAccountName;
      const accountName = name === undefined || name === '' ? 'default' : name;
      const account = await find(attributes.namespace, accountName, reader, clock, random);
      if (account === undefined) {
        throw forbidden(
          resources.pods,
          pod.metadata?.name ?? '',
          `error looking up service account ${attributes.namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`,
        );
      }
      if (pod.spec === undefined) {
        throw internalError('pod without spec passed the schema');
      }
      const problem = mountProblem(pod.spec, account);
      if (problem !== undefined) {
        throw forbidden(resources.pods, pod.metadata?.name ?? '', problem);
      }
      return { ...pod, spec: withAccount(pod.spec, account, accountName, random) };
    },
  };
}

/** The `default` account of a new namespace is on its way: its controller makes it. */
async function find(
  namespace: string,
  name: string,
  reader: ObjectReader,
  clock: Clock,
  random: Random,
): Promise<ServiceAccount | undefined> {
  const attempts = name === 'default' ? DEFAULT_ATTEMPTS : 1;
  for (let attempt = 1; ; attempt += 1) {
    const found = await reader.readFresh(resources.serviceaccounts, namespace, name);
    if (found !== undefined || attempt === attempts) {
      return found;
    }
    // Bounded by the attempts; a client that has gone costs no more than that.
    await clock.sleep(ATTEMPT_MS + random.integer(ATTEMPT_MS), new AbortController().signal);
  }
}

function refuseMirror(pod: Pod, name: string): void {
  if ((pod.spec?.serviceAccountName ?? '') !== '') {
    throw forbidden(resources.pods, name, 'a mirror pod may not reference service accounts');
  }
  if (
    pod.spec?.volumes?.some((volume) =>
      volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
    )
  ) {
    throw forbidden(resources.pods, name, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

function withAccount(spec: PodSpec, account: ServiceAccount, name: string, random: Random): PodSpec {
  const secrets = account.imagePullSecrets ?? [];
  const named: PodSpec = {
    ...spec,
    serviceAccountName: name,
    serviceAccount: name,
    ...((spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0 ? { imagePullSecrets: secrets } : {}),
  };
  const mount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  return mount ? withToken(named, random) : named;
}

function withToken(spec: PodSpec, random: Random): PodSpec {
  const known = spec.volumes?.find((volume) => volume.name.startsWith('kube-api-access-'));
  const volume = known ?? tokenVolume(`kube-api-access-${randomSuffix(random)}`);
  const mount: VolumeMount = { name: volume.name, readOnly: true, mountPath: MOUNT_PATH };
  let mounted = false;
  const withMount = <C extends { readonly volumeMounts?: readonly VolumeMount[] }>(container: C): C => {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) {
      return container;
    }
    mounted = true;
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
  };
  const containers = spec.containers.map(withMount);
  const initContainers = spec.initContainers?.map(withMount);
  if (!mounted) {
    return spec;
  }
  return {
    ...spec,
    containers,
    ...(initContainers === undefined ? {} : { initContainers }),
    ...(known === undefined ? { volumes: [...(spec.volumes ?? []), volume] } : {}),
  };
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_EXPIRATION_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}

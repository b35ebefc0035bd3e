import { isConflict, isNotFound, resources } from '@wherry/api';
import { detachedSignature } from '@wherry/pki';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { expiresInMs, planSignatures, TOKEN_TYPE } from './plan.ts';

const NAMESPACE = 'kube-system';
const WORKERS = 10;
const CLUSTER_INFO = 'kube-public/cluster-info';

const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** Deletes bootstrap tokens that have expired. */
export function startTokenCleaner(context: ControllerContext): void {
  const { caches, client, clock } = context;
  const secrets = caches.of(resources.secrets);
  const keyed = new Keyed(context, 'token-cleaner-controller');
  keyed.follow(secrets, ({ key, object }) => (object.metadata?.namespace === NAMESPACE ? [key] : []));
  keyed.run(WORKERS, [anyCache(secrets)], async (key, signal) => {
    const secret = secrets.get(key);
    const leftMs = secret === undefined ? undefined : expiresInMs(secret, decode, clock.now());
    if (secret === undefined || leftMs === undefined) return undefined;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { name = '', uid = '', resourceVersion = '' } = secret.metadata ?? {};
    try {
      const preconditions = { uid, resourceVersion };
      await client.delete(resources.secrets, name, { namespace: NAMESPACE, preconditions, signal });
      keyed.own.deleted(key, secrets, key, uid);
      keyed.acted(key, [secret], 'the token has expired', [{ verb: 'delete', key: `secrets/${key}` }]);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  });
}

/** Signs what hosts that join are told about the cluster, with every token that may. There is one key. */
export function startBootstrapSigner(context: ControllerContext): void {
  const { caches, client, clock } = context;
  const secrets = caches.of(resources.secrets);
  const configMaps = caches.of(resources.configmaps);
  const keyed = new Keyed(context, 'bootstrap-signer-controller');
  keyed.follow(secrets, ({ object }) =>
    object.metadata?.namespace === NAMESPACE && object.type === TOKEN_TYPE ? [CLUSTER_INFO] : [],
  );
  keyed.follow(configMaps, ({ key }) => (key === CLUSTER_INFO ? [key] : []));
  keyed.run(1, [anyCache(secrets), anyCache(configMaps)], async (key, signal) => {
    const info = configMaps.get(key);
    if (info === undefined) return undefined;
    const tokens = secrets.list().filter(({ metadata }) => metadata?.namespace === NAMESPACE);
    const tools = { decode, sign: detachedSignature };
    const { data, againInMs } = planSignatures(info.data ?? {}, tokens, tools, clock.now());
    if (data !== undefined) {
      const next = { apiVersion: 'v1', kind: 'ConfigMap', ...info, data };
      try {
        const written = await client.update(resources.configmaps, next, { signal });
        const { resourceVersion } = written.metadata ?? {};
        keyed.own.wrote(key, configMaps, resourceVersion);
        const actions = [{ verb: 'update', key: `configmaps/${key}`, resourceVersion }];
        keyed.acted(key, [info], 'tokens or the description of the cluster changed', actions);
      } catch (error) {
        // Gone or changed: its event asks again.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
    return againInMs === undefined ? undefined : { requeueAfterMs: againInMs };
  });
}

import { isConflict, isNotFound, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { expiresInMs } from './plan.ts';

const NAMESPACE = 'kube-system';
const WORKERS = 10;

/** Deletes bootstrap tokens that have expired. */
export function startTokenCleaner(context: ControllerContext): void {
  const { caches, client, clock } = context;
  const secrets = caches.of(resources.secrets);
  const keyed = new Keyed(context, 'token-cleaner-controller');
  keyed.follow(secrets, ({ key, object }) => (object.metadata?.namespace === NAMESPACE ? [key] : []));
  keyed.run(WORKERS, [anyCache(secrets)], async (key, signal) => {
    const secret = secrets.get(key);
    const decode = (text: string) => Buffer.from(text, 'base64').toString('utf8');
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

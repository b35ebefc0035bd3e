import { isAlreadyExists, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { isNamespaceTerminating } from '../../spine/pod-actions.ts';
import { planRootCa, ROOT_CA_NAME } from './plan.ts';

/** Keys are names of namespaces. Without --root-ca-file there is nothing to publish. */
export function startRootCaPublisher(context: ControllerContext): void {
  const { client, caches, options } = context;
  const { rootCa } = options;
  if (rootCa === undefined) {
    context.logger.warn({ controller: 'root-ca-certificate-publisher' }, 'not started: no --root-ca-file');
    return;
  }
  const namespaces = caches.of(resources.namespaces);
  const configMaps = caches.of(resources.configmaps);
  const keyed = new Keyed(context, 'root-ca-certificate-publisher');
  keyed.followOwn(namespaces);
  keyed.follow(configMaps, ({ kind, object }) =>
    kind !== 'added' && object.metadata?.name === ROOT_CA_NAME ? [object.metadata.namespace] : [],
  );
  keyed.run(1, [anyCache(namespaces), anyCache(configMaps)], async (name, signal) => {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return undefined;
    const existing = configMaps.get(`${name}/${ROOT_CA_NAME}`);
    const next = planRootCa(namespace, existing, rootCa);
    if (next === undefined) return undefined;
    const verb = existing === undefined ? 'create' : 'update';
    try {
      const written = await client[verb](resources.configmaps, next, { signal });
      const { resourceVersion } = written.metadata ?? {};
      keyed.own.wrote(name, configMaps, resourceVersion);
      const key = `configmaps/${name}/${ROOT_CA_NAME}`;
      keyed.acted(name, [namespace], 'the published CA is missing or differs', [{ verb, key, resourceVersion }]);
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
    return undefined;
  });
}

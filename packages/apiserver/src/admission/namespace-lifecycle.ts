import { forbidden, type Namespace, notFound, resources, StatusError } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Reviews ask about namespaces, they are not in them. */
const reviews = new Set(['localsubjectaccessreviews']);

/** Nothing is created in a namespace that does not exist or is going away, and three namespaces never go away. */
export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit(attributes, object) {
      const { operation, stored, namespace } = attributes;
      if (namespace === '' || !stored.namespaced || operation !== 'CREATE' || reviews.has(stored.resource)) {
        return object;
      }
      const known = reader.read(resources.namespaces, '', namespace);
      if (known === undefined) {
        return checkMissing(attributes, reader).then(() => object);
      }
      checkAlive(attributes, known);
      return object;
    },
    validate({ operation, stored, name }) {
      if (operation === 'DELETE' && stored.group === '' && stored.resource === 'namespaces' && immortal.has(name)) {
        throw forbidden(stored, name, 'this namespace may not be deleted');
      }
    },
  };
}

/** The cache may not have seen a namespace that was just created. @throws StatusError NotFound, Forbidden */
async function checkMissing(attributes: AdmissionAttributes, reader: ObjectReader): Promise<void> {
  const found = await reader.readFresh(resources.namespaces, '', attributes.namespace);
  if (found === undefined) {
    throw notFound(resources.namespaces, attributes.namespace);
  }
  checkAlive(attributes, found);
}

function checkAlive(attributes: AdmissionAttributes, { status, metadata }: Namespace): void {
  if (status?.phase === 'Terminating' || metadata?.deletionTimestamp !== undefined) {
    throw terminating(attributes);
  }
}

function terminating(attributes: AdmissionAttributes): StatusError {
  const { stored, namespace } = attributes;
  const name = attributes.object?.metadata?.name ?? attributes.name;
  const base = forbidden(
    stored,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  return new StatusError({ ...base.status, details: { ...base.status.details, causes: [cause] } });
}

import type { Pod, PodTemplateSpec } from '@wherry/api';
import { controllerReference, type Owner } from './ownership.ts';

/** Room the server's suffix and the separator need in a name. */
const NAME_LENGTH_MAX = 253;
const SUFFIX_LENGTH = 5;

/** A pod as a controller creates it from its template; the server makes the name unique. */
export function podFromTemplate(template: PodTemplateSpec, owner: Owner): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: owner.namespace,
      generateName: generateNamePrefix(owner.name),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec ?? { containers: [] },
  };
}

/** `name-`, or the bare name where the dash would make it too long. */
export function generateNamePrefix(name: string): string {
  return name.length + 1 + SUFFIX_LENGTH <= NAME_LENGTH_MAX ? `${name}-` : name;
}

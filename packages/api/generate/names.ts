// Flat type names: the preferred version of a kind has the plain name, everything that would clash gets a longer one.
import { capitalize, type Definition, type Definitions } from './document.ts';

/** Groups whose types get the plain name when two groups have one. */
const groupOrder = ['core', 'meta', 'apps', 'batch', 'rbac', 'autoscaling', 'networking', 'admissionregistration'];

/** Definitions that are written in place wherever they are used, with the TypeScript type of each. */
export const inlined: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'string',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'number | string',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'Readonly<Record<string, unknown>>',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'Readonly<Record<string, unknown>>',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': 'unknown',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'unknown',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray':
    'JSONSchemaProps | readonly JSONSchemaProps[]',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'JSONSchemaProps | boolean',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray':
    'JSONSchemaProps | readonly string[]',
};

/**
 * The exported name of every definition that has a type of its own.
 * @param versionRank position of a package's version in its group's discovery order; 0 is preferred
 */
export function flatNames(
  definitions: Definitions,
  versionRank: (group: string, version: string) => number,
): ReadonlyMap<string, string> {
  const byName = new Map<string, Definition[]>();
  for (const definition of definitions.all.values()) {
    if (inlined[definition.fullName] !== undefined) continue;
    const same = byName.get(definition.name);
    if (same === undefined) byName.set(definition.name, [definition]);
    else same.push(definition);
  }
  const names = new Map<string, string>();
  for (const same of byName.values()) {
    const ranked = same.toSorted((a, b) => rank(a) - rank(b));
    const first = ranked[0];
    for (const definition of ranked) names.set(definition.fullName, flatName(definition, first));
  }
  return names;

  function rank(definition: Definition): number {
    const apiPackage = definitions.packages.get(definition.package);
    if (apiPackage === undefined) return Number.MAX_SAFE_INTEGER;
    const family = apiPackage.file.split('-')[0] ?? '';
    const group = groupOrder.indexOf(family);
    return (
      (definition.kinds.length > 0 ? 0 : 10_000) +
      (group === -1 ? groupOrder.length : group) * 100 +
      versionRank(apiPackage.group, apiPackage.version)
    );
  }

  function flatName(definition: Definition, first: Definition | undefined): string {
    if (first === undefined || definition === first) return definition.name;
    const own = definitions.packages.get(definition.package);
    const preferred = definitions.packages.get(first.package);
    const sameFamily = own?.file.split('-')[0] === preferred?.file.split('-')[0];
    return sameFamily ? definition.name + capitalize(own?.version ?? '') : (own?.prefix ?? '') + definition.name;
  }
}

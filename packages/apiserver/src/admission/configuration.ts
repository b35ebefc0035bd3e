import { isObject } from '../patch/json.ts';
import type { PodSecurityOptions } from './pod-security/plugin.ts';
import { defaultPolicy, isLevel, type LevelVersion, type Policy, parseVersion } from './pod-security/policy.ts';
import type { LimitedResource } from './quota/charge.ts';

/** What `--admission-control-config-file` can set. */
export interface AdmissionConfiguration {
  readonly podSecurity: PodSecurityOptions;
  /** What is only to be had under a quota. */
  readonly limitedResources: readonly LimitedResource[];
}

export const defaultConfiguration: AdmissionConfiguration = {
  podSecurity: {
    defaults: defaultPolicy,
    exemptions: { usernames: new Set(), namespaces: new Set(), runtimeClasses: new Set() },
  },
  limitedResources: [],
};

type Bag = Readonly<Record<string, unknown>>;

/**
 * Reads an AdmissionConfiguration (apiserver.config.k8s.io/v1).
 * @param document the parsed file
 * @param readPath the parsed file that a plugin's entry names by `path`
 * @throws Error that names the plugin and the field
 */
export async function readAdmissionConfiguration(
  document: unknown,
  readPath: (path: string) => Promise<unknown>,
): Promise<AdmissionConfiguration> {
  let configuration = defaultConfiguration;
  for (const plugin of listOf(bagOf(document, 'the file')['plugins'], 'plugins')) {
    const { name, path, configuration: inline } = bagOf(plugin, 'plugins[]');
    const content = inline ?? (typeof path === 'string' && path !== '' ? await readPath(path) : undefined);
    if (content === undefined) {
      continue;
    }
    const bag = bagOf(content, `configuration of ${String(name)}`);
    switch (name) {
      case 'PodSecurity':
        configuration = { ...configuration, podSecurity: podSecurityOf(bag) };
        break;
      case 'ResourceQuota':
        configuration = { ...configuration, limitedResources: limitedResourcesOf(bag) };
        break;
      default:
        throw new Error(`Cannot configure admission plugin ${JSON.stringify(name)}: it takes no configuration here`);
    }
  }
  return configuration;
}

function podSecurityOf(bag: Bag): PodSecurityOptions {
  const defaults = bagOf(bag['defaults'] ?? {}, 'defaults');
  const exemptions = bagOf(bag['exemptions'] ?? {}, 'exemptions');
  const names = (field: string): ReadonlySet<string> => new Set(textsOf(exemptions[field], `exemptions.${field}`));
  return {
    defaults: {
      enforce: levelVersion(defaults, 'enforce'),
      audit: levelVersion(defaults, 'audit'),
      warn: levelVersion(defaults, 'warn'),
    },
    exemptions: {
      usernames: names('usernames'),
      namespaces: names('namespaces'),
      runtimeClasses: names('runtimeClasses'),
    },
  };
}

function levelVersion(defaults: Bag, mode: keyof Policy): LevelVersion {
  const level = String(defaults[mode] ?? 'privileged');
  const version = parseVersion(String(defaults[`${mode}-version`] ?? 'latest'));
  if (!isLevel(level)) {
    throw new Error(`defaults.${mode}: must be one of privileged, baseline, restricted: ${JSON.stringify(level)}`);
  }
  if (version === undefined) {
    throw new Error(`defaults.${mode}-version: must be "latest" or "v1.x"`);
  }
  return { level, version };
}

function limitedResourcesOf(bag: Bag): readonly LimitedResource[] {
  return listOf(bag['limitedResources'], 'limitedResources').map((entry) => {
    const { apiGroup = '', resource = '', matchContains, matchScopes } = bagOf(entry, 'limitedResources[]');
    return {
      resource: `${String(apiGroup)}/${String(resource)}`,
      matchContains: textsOf(matchContains, 'matchContains'),
      matchScopes: listOf(matchScopes, 'matchScopes').map((scope) => {
        const { scopeName, operator, values } = bagOf(scope, 'matchScopes[]');
        return { scopeName: String(scopeName), operator: String(operator), values: textsOf(values, 'values') };
      }),
    };
  });
}

function bagOf(value: unknown, what: string): Bag {
  if (!isObject(value as Parameters<typeof isObject>[0])) {
    throw new Error(`Cannot read the admission configuration: ${what} is no object`);
  }
  return value as Bag;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw new Error(`Cannot read the admission configuration: ${what} is no list`);
  }
  return value;
}

function textsOf(value: unknown, what: string): readonly string[] {
  return listOf(value, what).map(String);
}

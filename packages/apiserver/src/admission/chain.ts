import type { ApiObject } from '@wherry/api';
import type { UserInfo } from '../auth/identity.ts';
import type { StoredKind } from '../registry/served-kind.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** A write on its way into the registry, in the stored version. */
export interface AdmissionAttributes {
  readonly operation: Operation;
  readonly stored: StoredKind;
  readonly subresource: string;
  readonly namespace: string;
  /** '' while a name is still to be generated. */
  readonly name: string;
  /** Absent for deletes. Of the subresources eviction and token: what was posted. */
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Texts for Warning headers; plugins add to it. */
  readonly warnings: string[];
}

/** One rule of the chain. Refuses by throwing a StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  /** What it looks at, as `group/resource` (`/pods`); everything by default. Others never call it. */
  readonly resources?: readonly string[];
  /** May change the object; returns the one to go on with. Not called for deletes. */
  admit?(attributes: AdmissionAttributes, object: ApiObject): ApiObject | Promise<ApiObject>;
  /** Sees the object as it will be stored. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>;
}

interface Lists {
  readonly mutating: readonly AdmissionPlugin[];
  readonly validating: readonly AdmissionPlugin[];
}

/** The plugins in upstream's order: all mutate first, then all validate. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #lists = new WeakMap<StoredKind, Lists>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async admit(attributes: AdmissionAttributes, object: ApiObject): Promise<ApiObject> {
    let current = object;
    for (const plugin of this.#listsOf(attributes.stored).mutating) {
      const result = plugin.admit?.(attributes, current);
      current = (result instanceof Promise ? await result : result) ?? current;
    }
    return current;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#listsOf(attributes.stored).validating) {
      const result = plugin.validate?.(attributes);
      if (result instanceof Promise) {
        await result;
      }
    }
  }

  #listsOf(stored: StoredKind): Lists {
    let lists = this.#lists.get(stored);
    if (lists === undefined) {
      const resource = `${stored.group}/${stored.resource}`;
      const concerned = this.#plugins.filter((plugin) => plugin.resources?.includes(resource) ?? true);
      lists = {
        mutating: concerned.filter((plugin) => plugin.admit !== undefined),
        validating: concerned.filter((plugin) => plugin.validate !== undefined),
      };
      this.#lists.set(stored, lists);
    }
    return lists;
  }
}

export function isResource(
  attributes: AdmissionAttributes,
  group: string,
  resource: string,
  subresource = '',
): boolean {
  return (
    attributes.stored.group === group &&
    attributes.stored.resource === resource &&
    attributes.subresource === subresource
  );
}

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
  /** Absent for deletes. */
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
}

/** One rule of the chain. Refuses by throwing a StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  /** May change the object; returns the one to go on with. */
  admit?(attributes: AdmissionAttributes, object: ApiObject): ApiObject | Promise<ApiObject>;
  /** Sees the object as it will be stored. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>;
}

/** The plugins in upstream's order: all mutate first, then all validate. */
export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.filter((plugin) => plugin.admit !== undefined);
    this.#validating = plugins.filter((plugin) => plugin.validate !== undefined);
  }

  async admit(attributes: AdmissionAttributes, object: ApiObject): Promise<ApiObject> {
    let current = object;
    for (const plugin of this.#mutating) {
      const result = plugin.admit?.(attributes, current);
      current = (result instanceof Promise ? await result : result) ?? current;
    }
    return current;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#validating) {
      const result = plugin.validate?.(attributes);
      if (result instanceof Promise) {
        await result;
      }
    }
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

/** Upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
export interface InflightLimits {
  readonly readOnly: number;
  readonly mutating: number;
}

const mutatingVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection', 'post', 'put']);
const longRunningSubresources = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

export function isMutating(verb: string): boolean {
  return mutatingVerbs.has(verb);
}

/** Requests that may last: they count against no limit and have no deadline. */
export function isLongRunning(verb: string, subresource: string): boolean {
  return verb === 'watch' || verb === 'proxy' || longRunningSubresources.has(subresource);
}

/** Counts requests in flight and says no beyond the limits. */
export class Inflight {
  readonly #limits: InflightLimits;
  #readOnly = 0;
  #mutating = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  enter(mutating: boolean): boolean {
    if (mutating) {
      if (this.#mutating >= this.#limits.mutating) {
        return false;
      }
      this.#mutating += 1;
    } else {
      if (this.#readOnly >= this.#limits.readOnly) {
        return false;
      }
      this.#readOnly += 1;
    }
    return true;
  }

  leave(mutating: boolean): void {
    if (mutating) {
      this.#mutating -= 1;
    } else {
      this.#readOnly -= 1;
    }
  }

  count(mutating: boolean): number {
    return mutating ? this.#mutating : this.#readOnly;
  }
}

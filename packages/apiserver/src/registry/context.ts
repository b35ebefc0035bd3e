import type { Clock, Logger, Random } from '@wherry/daemon';
import { rfc3339 } from '@wherry/daemon';
import type { AdmissionChain } from '../admission/chain.ts';
import type { Authorizer } from '../auth/attributes.ts';
import type { UserInfo } from '../auth/identity.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { WatchCache } from '../cache/watch-cache.ts';
import type { ApiRequest } from '../http/exchange.ts';
import type { Representation } from '../http/negotiate.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { StrategyContext } from '../kinds/strategy.ts';
import type { Storage } from '../storage/port.ts';
import type { ServiceAllocation } from './allocation/service-allocation.ts';
import type { ObjectStore } from './object-store.ts';
import type { ServedKind, StoredKind } from './served-kind.ts';

/** What the verbs of the registry work with. */
export interface Registry {
  readonly storage: Storage;
  readonly store: ObjectStore;
  readonly watchCache: WatchCache;
  readonly reader: ObjectReader;
  readonly admission: AdmissionChain;
  readonly authorizer: Authorizer;
  readonly allocation: ServiceAllocation;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** One request on one resource, authorized. */
export interface ResourceRequest {
  readonly registry: Registry;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly kind: ServedKind;
  readonly signal: AbortSignal;
  readonly how: Representation;
  /** Texts for Warning headers; verbs add to it. */
  readonly warnings: string[];
}

/** A request whose kind is stored. */
export interface StoredRequest extends ResourceRequest {
  readonly stored: StoredKind;
}

export function strategyContext(registry: Registry, user: UserInfo): StrategyContext {
  const nowMs = registry.clock.now();
  return { nowMs, now: rfc3339(nowMs), uuid: registry.random.uuid(), user };
}

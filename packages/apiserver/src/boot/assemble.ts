import type { Clock, Health, Logger, Metrics, Random } from '@wherry/daemon';
import { AdmissionChain } from '../admission/chain.ts';
import { type AdmissionOptions, admissionPlugins } from '../admission/plugins.ts';
import type { TolerationSeconds } from '../admission/pod-defaults.ts';
import { type Authorizer, AuthorizerChain } from '../auth/attributes.ts';
import { Authenticator, clusterInfoPath } from '../auth/authenticate.ts';
import { BearerTokens } from '../auth/bearer-tokens.ts';
import { BootstrapTokens } from '../auth/bootstrap-tokens.ts';
import { NodeAuthorizer } from '../auth/node-authorizer.ts';
import { RbacAuthorizer } from '../auth/rbac.ts';
import { Reviews } from '../auth/reviews.ts';
import { ServiceAccountTokens, type TokenKeys } from '../auth/service-account-tokens.ts';
import { superuserAuthorizer } from '../auth/superuser.ts';
import { ObjectReader } from '../cache/object-reader.ts';
import { WatchCache } from '../cache/watch-cache.ts';
import { Routes } from '../discovery/routes.ts';
import { versionInfo } from '../discovery/version.ts';
import type { Handle } from '../http/exchange.ts';
import { createHandler } from '../http/handler.ts';
import { Inflight, type InflightLimits } from '../http/inflight.ts';
import { RequestMetrics } from '../http/request-metrics.ts';
import type { KubeletClient } from '../proxying/kubelet-client.ts';
import { NodeConnections } from '../proxying/node-connections.ts';
import { parseIpRange } from '../registry/allocation/ip-range.ts';
import { NodePorts, parsePortRange } from '../registry/allocation/node-ports.ts';
import { ServiceAllocation } from '../registry/allocation/service-allocation.ts';
import { Bookmarks } from '../registry/bookmarks.ts';
import type { ComponentProbes } from '../registry/component-status.ts';
import type { Registry } from '../registry/context.ts';
import { Dispatcher } from '../registry/dispatch.ts';
import { ObjectStore } from '../registry/object-store.ts';
import { KindTable, type StoredKind } from '../registry/served-kind.ts';
import type { Storage } from '../storage/port.ts';

export interface ApiserverOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly defer: (fn: () => void) => void;
  readonly tokenKeys: TokenKeys;
  readonly bootstrapTokenAuth: boolean;
  readonly kubelets: KubeletClient | undefined;
  readonly probes: ComponentProbes;
  readonly serviceRange: string;
  readonly nodePortRange: string;
  readonly authorizationModes: readonly string[];
  readonly tolerations: TolerationSeconds;
  readonly admission: AdmissionOptions;
  readonly eventTtlSeconds: number;
  readonly inflight: InflightLimits;
  readonly serverAddress: string;
  readonly platform: string;
  readonly nodeVersion: string;
}

/** An API server without transport and without background work: what `start` runs and tests call. */
export interface Apiserver {
  readonly handle: Handle;
  readonly registry: Registry;
  readonly kinds: KindTable;
  readonly watchCache: WatchCache;
  readonly bookmarks: Bookmarks;
  readonly tokens: ServiceAccountTokens;
}

/** Puts the parts together. */
export function assemble(options: ApiserverOptions): Apiserver {
  const { storage, clock, random, logger, metrics } = options;
  const watchCache = new WatchCache({ storage, clock, logger, defer: options.defer });
  const reader = new ObjectReader(watchCache);
  const kinds = new KindTable({ watchCache, reader, eventTtlSeconds: options.eventTtlSeconds });
  const store = new ObjectStore(storage, watchCache);
  const tokens = new ServiceAccountTokens(options.tokenKeys, reader, clock, random);
  const bootstrapTokens = options.bootstrapTokenAuth ? new BootstrapTokens(reader, clock) : undefined;
  const bearers = new BearerTokens(tokens, bootstrapTokens);
  const rbac = new RbacAuthorizer(reader);
  const authorizer = authorizers(options.authorizationModes, reader, rbac);
  const quotas = storedKind(kinds, '', 'resourcequotas');
  const admission = new AdmissionChain(admissionPlugins({ ...options, reader, store, quotas, rbac, authorizer }));
  const addresses = storedKind(kinds, 'networking.k8s.io', 'ipaddresses');
  const allocation = new ServiceAllocation({
    store,
    reader,
    nodePorts: new NodePorts(storage, random, parsePortRange(options.nodePortRange)),
    range: parseIpRange(options.serviceRange),
    addresses,
    clock,
    random,
    logger,
  });
  const registry: Registry = {
    storage,
    store,
    watchCache,
    reader,
    admission,
    authorizer,
    allocation,
    clock,
    random,
    logger,
  };
  const bookmarks = new Bookmarks(watchCache, clock);
  const inflight = new Inflight(options.inflight);
  const dispatcher = new Dispatcher({
    kinds,
    reviews: new Reviews(authorizer, rbac, bearers),
    tokens,
    bookmarks,
    nodes: new NodeConnections(options.kubelets, clock, logger),
    probes: options.probes,
  });
  const routes = new Routes({
    health: options.health,
    metrics,
    tokens,
    version: versionInfo(options.platform, options.nodeVersion),
    serverAddress: options.serverAddress,
  });
  const handle = createHandler({
    authenticator: new Authenticator(bearers, options.bootstrapTokenAuth ? [clusterInfoPath] : [], (reason) =>
      logger.debug({ reason }, 'request not authenticated'),
    ),
    authorizer,
    inflight,
    kinds,
    registry,
    dispatcher,
    routes,
    metrics: new RequestMetrics(metrics, inflight),
    clock,
    random,
    logger,
  });
  return { handle, registry, kinds, watchCache, bookmarks, tokens };
}

function authorizers(modes: readonly string[], reader: ObjectReader, rbac: RbacAuthorizer): Authorizer {
  const chosen = modes.map((mode): Authorizer => {
    switch (mode) {
      case 'Node':
        return new NodeAuthorizer(reader, rbac);
      case 'RBAC':
        return rbac;
      default:
        throw new Error(`Unknown authorization mode ${JSON.stringify(mode)}: Node and RBAC exist`);
    }
  });
  return new AuthorizerChain([superuserAuthorizer, ...chosen]);
}

function storedKind(kinds: KindTable, group: string, resource: string): StoredKind {
  const { stored } = kinds.storedVersion(group, resource);
  if (stored === undefined) {
    throw new Error(`${resource} are not stored`);
  }
  return stored;
}

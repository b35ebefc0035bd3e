import type {
  ApiObject,
  ClusterRole,
  ClusterRoleBinding,
  FieldError,
  Role,
  RoleBinding,
  Service,
  TableRowCondition,
} from '@wherry/api';

/**
 * What is special about a kind. The registry does everything that is the same for all kinds; a strategy is
 * pure: time, randomness and the caller arrive as values, and no function mutates its arguments (copy on write).
 *
 * What the registry has done before it calls a strategy, so that no strategy repeats it:
 * - create: decoded and schema-checked the body, applied defaults (`applyDefaults` of @wherry/api), run admission,
 *   set `metadata` (name from generateName, namespace, uid, creationTimestamp; generation 1 when `generation`),
 *   dropped `status` where the kind has a status subresource and `statusOnCreate` is not 'keep'.
 * - update: the same decode and defaults; immutable metadata carried over from the old object; `status` put back
 *   from the old object where the kind has a status subresource.
 * - subresource update: everything but `metadata` and `status` put back from the old object ('status' only).
 * After `prepareForUpdate` the registry compares everything outside metadata and status and raises
 * `metadata.generation`; when nothing at all changed it writes nothing.
 * The registry validates ObjectMeta (name through `validateName`, labels, annotations, ownerReferences, finalizers,
 * immutability of uid and the like); `validate` covers the rest of the object.
 */
export interface Strategy<T extends ApiObject = ApiObject> {
  /** Messages for a bad name, none when good. `isPrefix`: a generateName prefix. Default: DNS-1123 subdomain. */
  readonly validateName?: (name: string, isPrefix: boolean) => readonly string[];
  /** metadata.generation counts changes outside metadata and status. @default false */
  readonly generation?: boolean;
  /** Whether a client's `status` survives a create (nodes). @default 'drop' */
  readonly statusOnCreate?: 'drop' | 'keep';
  /** PUT of a missing object creates it. @default false */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion is accepted. @default true */
  readonly allowUnconditionalUpdate?: boolean;
  /** What happens to dependents when the deleter does not say. @default 'background' */
  readonly defaultDeletion?: 'orphan' | 'background';

  prepareForCreate(object: T, context: StrategyContext): T;
  validate(object: T, context: StrategyContext): readonly FieldError[];
  prepareForUpdate(next: T, old: T, context: StrategyContext): T;
  validateUpdate(next: T, old: T, context: StrategyContext): readonly FieldError[];
  /** By subresource name: 'status', 'ephemeralcontainers', 'resize', 'approval', 'finalize'. */
  readonly subresources?: Readonly<Record<string, UpdateStrategy<T>>>;

  /** Texts for Warning headers, on create (`old` undefined) and update. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** Selectable fields beside metadata.name and metadata.namespace; a missing value is ''. */
  readonly fieldSelectors?: Readonly<Record<string, (object: T) => string>>;

  /** The Table's columns, the name included. The registry falls back to Name and "Created At". */
  readonly columns?: readonly Column<T>[];
  rowConditions?(object: T): readonly TableRowCondition[];

  /**
   * Present on kinds that end gracefully (pods). Returns the seconds to wait: 0 removes at once.
   * `requested` is the deleter's gracePeriodSeconds.
   */
  gracefulDeletion?(object: T, requested: number | undefined): number;
}

export interface UpdateStrategy<T extends ApiObject = ApiObject> {
  prepareForUpdate(next: T, old: T, context: StrategyContext): T;
  validateUpdate(next: T, old: T, context: StrategyContext): readonly FieldError[];
}

export interface StrategyContext {
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** The same instant as metav1.Time: RFC 3339, whole seconds, UTC. */
  readonly now: string;
  /** One fresh UUID, for kinds that need an identity of their own. */
  readonly uuid: string;
  readonly user: StrategyUser;
}

export interface StrategyUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export type CellValue = string | number | boolean | null;

export interface Column<T extends ApiObject = ApiObject> {
  /** As upstream prints it: "Ready", "Nominated Node". */
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** 'name' on the name column. */
  readonly format?: string;
  readonly description: string;
  /** 0 always shown, 1 only with -o wide. @default 0 */
  readonly priority?: number;
  /** Ages are durations in words ("5m"), as upstream's server prints them; `nowMs` is the wall clock. */
  cell(object: T, nowMs: number): CellValue;
}

/**
 * What a Service needs from the cluster-wide allocators; `kinds/service-allocation.ts` exports
 * `serviceNeeds: ServiceNeedsOf` and `grantService: GrantService`. The registry allocates and releases
 * what `old` held and `next` does not.
 */
export type ServiceNeedsOf = (next: Service, old: Service | undefined) => ServiceNeeds;
export type GrantService = (next: Service, grants: ServiceGrants) => Service;

export interface ServiceNeeds {
  readonly clusterIP: ClusterIpNeed;
  readonly nodePorts: readonly NodePortNeed[];
  /** spec.healthCheckNodePort; undefined when the Service needs none or keeps the one it has. */
  readonly healthCheckNodePort?: PortNeed;
}

/** 'none': headless, ExternalName, or keeps the address it has. */
export type ClusterIpNeed =
  | { readonly kind: 'none' }
  | { readonly kind: 'auto' }
  | { readonly kind: 'fixed'; readonly address: string };

export type PortNeed = { readonly kind: 'auto' } | { readonly kind: 'fixed'; readonly port: number };

export interface NodePortNeed {
  /** Index in spec.ports. */
  readonly index: number;
  readonly protocol: string;
  readonly need: PortNeed;
  /** Index of a port of the same Service with another protocol whose granted number this one shares. */
  readonly sameAs?: number;
}

export interface ServiceGrants {
  readonly clusterIP?: string;
  /** Index in spec.ports → node port. */
  readonly nodePorts: ReadonlyMap<number, number>;
  readonly healthCheckNodePort?: number;
}

/** What `kinds/rbac-bootstrap.ts` exports as `bootstrapPolicy`. */
export interface BootstrapPolicy {
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
  /** To add where no Node authorizer runs: kubelets (group system:nodes) have no other source of rights there. */
  readonly withoutNodeAuthorizer: readonly ClusterRoleBinding[];
}

/**
 * What `kinds/index.ts` exports as `strategyFor`: total, with a plain strategy for kinds that need nothing.
 * A strategy sees objects in their storage version (the first that discovery lists): autoscaling/v2 and
 * core/v1 Events, whichever version the client speaks.
 */
export type StrategyFor = (resource: { readonly group: string; readonly resource: string }) => Strategy;

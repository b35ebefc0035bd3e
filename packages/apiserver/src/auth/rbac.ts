import {
  type ClusterRole,
  labelSelectorMatches,
  type PolicyRule,
  type RoleRef,
  resources,
  type Subject,
} from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './attributes.ts';
import { serviceAccountUser, type UserInfo } from './identity.ts';
import { ruleAllows } from './rbac-rules.ts';

interface Grant {
  readonly roleRef: RoleRef;
  /** As upstream names it in a reason: `ClusterRoleBinding "x"`. */
  readonly binding: string;
  readonly namespace: string;
  readonly subject: string;
}

type GrantsBySubject = Map<string, Grant[]>;

export interface EffectiveRules {
  readonly rules: readonly PolicyRule[];
  /** Roles that are bound but do not exist. */
  readonly errors: readonly string[];
}

/**
 * RBAC over the watch cache. Bindings are indexed by subject and thrown away when one changes, which is rare; roles
 * are read when a request needs them.
 */
export class RbacAuthorizer implements Authorizer {
  readonly #reader: ObjectReader;
  #cluster: GrantsBySubject | undefined;
  #namespaced: Map<string, GrantsBySubject> | undefined;
  /** Rules of aggregated cluster roles. */
  readonly #aggregated = new Map<string, readonly PolicyRule[]>();

  constructor(reader: ObjectReader) {
    this.#reader = reader;
    reader.onChange(resources.clusterroles, () => this.#aggregated.clear());
    reader.onChange(resources.clusterrolebindings, () => {
      this.#cluster = undefined;
    });
    reader.onChange(resources.rolebindings, () => {
      this.#namespaced = undefined;
    });
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const missing: string[] = [];
    for (const grant of this.#grants(attributes.user, attributes.namespace)) {
      const rules = this.#rulesOf(grant);
      if (rules === undefined) {
        missing.push(missingText(grant));
      } else if (rules.some((rule) => ruleAllows(rule, attributes))) {
        const where = grant.namespace === '' ? '' : `/${grant.namespace}`;
        return {
          kind: 'allow',
          reason: `RBAC: allowed by ${grant.binding.replace(/"$/, `${where}"`)} of ${grant.roleRef.kind} "${grant.roleRef.name}" to ${grant.subject}`,
        };
      }
    }
    return { kind: 'noOpinion', reason: missing.length === 0 ? '' : `RBAC: ${brackets(missing)}` };
  }

  /** Everything a user may do in a namespace ('' for the cluster scope only). */
  rulesFor(user: UserInfo, namespace: string): EffectiveRules {
    const rules: PolicyRule[] = [];
    const errors: string[] = [];
    for (const grant of this.#grants(user, namespace)) {
      const found = this.#rulesOf(grant);
      if (found === undefined) {
        errors.push(missingText(grant));
      } else {
        rules.push(...found);
      }
    }
    return { rules, errors };
  }

  /** Rules of a role by reference; undefined if there is no such role. */
  rulesOfRole(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    if (roleRef.kind !== 'ClusterRole') {
      const role = this.#reader.read(resources.roles, namespace, roleRef.name);
      return role === undefined ? undefined : (role.rules ?? []);
    }
    const role = this.#reader.read(resources.clusterroles, '', roleRef.name);
    if (role?.aggregationRule === undefined) {
      return role === undefined ? undefined : (role.rules ?? []);
    }
    const known = this.#aggregated.get(roleRef.name) ?? this.#aggregate(role);
    this.#aggregated.set(roleRef.name, known);
    return known;
  }

  /** Aggregated roles hold the rules of the roles they select; no controller has to copy them for us to see them. */
  #aggregate(role: ClusterRole): readonly PolicyRule[] {
    const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
    const rules = [...(role.rules ?? [])];
    for (const other of this.#reader.all(resources.clusterroles)) {
      const selected = selectors.some((selector) => labelSelectorMatches(selector, other.metadata?.labels));
      if (!selected || other.metadata?.name === role.metadata?.name) {
        continue;
      }
      const nested = other.aggregationRule === undefined ? (other.rules ?? []) : this.#aggregate(other);
      rules.push(...nested);
    }
    return rules;
  }

  #rulesOf(grant: Grant): readonly PolicyRule[] | undefined {
    return this.rulesOfRole(grant.roleRef, grant.namespace);
  }

  *#grants(user: UserInfo, namespace: string): Generator<Grant> {
    this.#cluster ??= this.#indexCluster();
    yield* grantsOf(this.#cluster, user);
    if (namespace !== '') {
      this.#namespaced ??= this.#indexNamespaces();
      const inNamespace = this.#namespaced.get(namespace);
      if (inNamespace !== undefined) {
        yield* grantsOf(inNamespace, user);
      }
    }
  }

  #indexCluster(): GrantsBySubject {
    const index: GrantsBySubject = new Map();
    for (const binding of this.#reader.all(resources.clusterrolebindings)) {
      addGrants(index, binding.subjects, binding.roleRef, `ClusterRoleBinding "${binding.metadata?.name ?? ''}"`, '');
    }
    return index;
  }

  #indexNamespaces(): Map<string, GrantsBySubject> {
    const index = new Map<string, GrantsBySubject>();
    for (const binding of this.#reader.all(resources.rolebindings)) {
      const namespace = binding.metadata?.namespace ?? '';
      const inNamespace: GrantsBySubject = index.get(namespace) ?? new Map();
      index.set(namespace, inNamespace);
      const name = `RoleBinding "${binding.metadata?.name ?? ''}"`;
      addGrants(inNamespace, binding.subjects, binding.roleRef, name, namespace);
    }
    return index;
  }
}

function addGrants(
  index: GrantsBySubject,
  subjects: readonly Subject[] | undefined,
  roleRef: RoleRef,
  binding: string,
  namespace: string,
): void {
  for (const subject of subjects ?? []) {
    const key = subjectKey(subject, namespace);
    const list = index.get(key) ?? [];
    index.set(key, list);
    list.push({ roleRef, binding, namespace, subject: subjectText(subject, namespace) });
  }
}

function subjectKey(subject: Subject, namespace: string): string {
  if (subject.kind === 'ServiceAccount') {
    return `u:${serviceAccountUser(subject.namespace ?? namespace, subject.name)}`;
  }
  return `${subject.kind === 'Group' ? 'g' : 'u'}:${subject.name}`;
}

function subjectText(subject: Subject, namespace: string): string {
  return subject.kind === 'ServiceAccount'
    ? `ServiceAccount "${subject.name}/${subject.namespace ?? namespace}"`
    : `${subject.kind} "${subject.name}"`;
}

function* grantsOf(index: GrantsBySubject, user: UserInfo): Generator<Grant> {
  yield* index.get(`u:${user.name}`) ?? [];
  for (const group of user.groups) {
    yield* index.get(`g:${group}`) ?? [];
  }
}

function missingText(grant: Grant): string {
  const { kind, name } = grant.roleRef;
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;
}

function brackets(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

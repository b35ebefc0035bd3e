import type { Clock, Metrics, Random } from '@wherry/daemon';
import type { Authorizer } from '../auth/attributes.ts';
import { escalationCheck } from '../auth/escalation.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { StoredKind } from '../registry/served-kind.ts';
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from './certificates.ts';
import type { AdmissionPlugin } from './chain.ts';
import type { AdmissionConfiguration } from './configuration.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import {
  defaultTolerationSeconds,
  extendedResourceToleration,
  type TolerationSeconds,
  taintNodesByCondition,
} from './pod-defaults.ts';
import { type CountEvaluation, podSecurity } from './pod-security/plugin.ts';
import { policyText } from './pod-security/policy.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { priority } from './priority.ts';
import { QuotaLedger } from './quota/ledger.ts';
import { resourceQuota } from './quota/plugin.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from './storage.ts';

export interface AdmissionOptions {
  /** Names to add to those that are on by default, and to leave out; leaving out counts more. */
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  readonly configuration: AdmissionConfiguration;
}

export interface AdmissionParts {
  readonly admission: AdmissionOptions;
  readonly reader: ObjectReader;
  readonly store: ObjectStore;
  /** The stored kind of resourcequotas. */
  readonly quotas: StoredKind;
  readonly rbac: RbacAuthorizer;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tolerations: TolerationSeconds;
}

const offByDefault = new Set(['ExtendedResourceToleration']);
/** Rules of the server itself, no plugin of upstream's: nobody can switch them off. */
const alwaysOn = new Set(['RBACEscalation']);

/** The plugins that are on, in upstream's order. @throws Error for a name that there is not */
export function admissionPlugins(parts: AdmissionParts): readonly AdmissionPlugin[] {
  const { enable, disable } = parts.admission;
  const all = allPlugins(parts);
  for (const name of [...enable, ...disable]) {
    if (alwaysOn.has(name) || !all.some((plugin) => plugin.name === name)) {
      const known = all.map((plugin) => plugin.name).filter((each) => !alwaysOn.has(each));
      throw new Error(`Unknown admission plugin ${JSON.stringify(name)}: there are ${known.join(', ')}`);
    }
  }
  return all.filter(
    ({ name }) => alwaysOn.has(name) || (!disable.includes(name) && (enable.includes(name) || !offByDefault.has(name))),
  );
}

function allPlugins(parts: AdmissionParts): readonly AdmissionPlugin[] {
  const { reader, store, quotas, rbac, authorizer, clock, random, metrics } = parts;
  const { podSecurity: podSecurityOptions, limitedResources } = parts.admission.configuration;
  return [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount(reader, random, clock),
    nodeRestriction(reader),
    taintNodesByCondition,
    podSecurity(reader, clock, podSecurityOptions, evaluationCounter(metrics)),
    priority(reader),
    defaultTolerationSeconds(parts.tolerations),
    extendedResourceToleration,
    defaultStorageClass(reader),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(reader),
    runtimeClass(reader),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    clusterTrustBundleAttest(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(reader),
    podTopologyLabels(reader),
    escalationCheck(rbac, authorizer),
    resourceQuota(new QuotaLedger({ reader, store, quotas, clock, limitedResources })),
  ];
}

function evaluationCounter(metrics: Metrics): CountEvaluation {
  const counter = metrics.counter(
    'pod_security_evaluations_total',
    'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
    ['decision', 'policy_level', 'policy_version', 'mode', 'request_operation', 'resource', 'subresource'],
  );
  return (decision, policy, mode, { operation, stored, subresource }) => {
    const [level = '', version = ''] = policyText(policy).split(':');
    const resource = stored.resource === 'pods' ? 'pod' : 'controller';
    counter.labels(decision, level, version, mode, operation.toLowerCase(), resource, subresource).inc();
  };
}

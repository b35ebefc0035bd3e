import {
  type ApiObject,
  type CronJob,
  type Deployment,
  forbidden,
  invalid,
  type Namespace,
  type ObjectMeta,
  type Pod,
  type PodSpec,
  type PodTemplate,
  type PodTemplateSpec,
  resources,
} from '@wherry/api';
import type { Clock } from '@wherry/daemon';
import type { ObjectReader } from '../../cache/object-reader.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../chain.ts';
import { detailText, podFindings } from './checks.ts';
import { existingPodWarnings } from './existing-pods.ts';
import type { PodFinding } from './finding.ts';
import { isSignificantUpdate } from './pod-update.ts';
import { isSame, isStricter, type LevelVersion, type Policy, policyOf, policyText } from './policy.ts';

/** What the plugin's configuration can set. */
export interface PodSecurityOptions {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: ReadonlySet<string>;
    readonly namespaces: ReadonlySet<string>;
    readonly runtimeClasses: ReadonlySet<string>;
  };
}

/** Counts what was decided; upstream's pod_security_evaluations_total. */
export type CountEvaluation = (
  decision: 'allow' | 'deny',
  policy: LevelVersion,
  mode: 'enforce' | 'audit' | 'warn',
  attributes: AdmissionAttributes,
) => void;

/** `pods` and everything that makes pods. */
const controllers = [
  '/replicationcontrollers',
  '/podtemplates',
  'apps/replicasets',
  'apps/deployments',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
];

const silentSubresources = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);
const noLabels: Readonly<Record<string, string>> = {};

/** Holds pods to the level that their namespace's labels set; warns about what would make pods that are refused. */
export function podSecurity(
  reader: ObjectReader,
  clock: Clock,
  options: PodSecurityOptions,
  count: CountEvaluation,
): AdmissionPlugin {
  const { exemptions } = options;
  const namespaces = (): ReturnType<ObjectReader['cacheOf']> => reader.cacheOf(resources.namespaces);
  const evaluate = (attributes: AdmissionAttributes, read: (object: ApiObject) => PodLike | undefined): void => {
    const { namespace, user, object, old, stored } = attributes;
    if (exemptions.namespaces.has(namespace) || exemptions.usernames.has(user.name) || object === undefined) {
      return;
    }
    const labels = namespaces().get('', namespace)?.attributes.labels ?? noLabels;
    const { policy, errors } = policyOf(labels, options.defaults);
    const isPod = stored.resource === 'pods';
    if (errors.length === 0 && isIndifferent(policy, isPod)) {
      return;
    }
    if (isPod && old !== undefined && !isSignificantUpdate(object as Pod, old as Pod)) {
      return;
    }
    const pod = read(object);
    if (pod !== undefined && !exemptions.runtimeClasses.has(pod.spec.runtimeClassName ?? '')) {
      judge(attributes, policy, pod, isPod, count);
    }
  };
  return {
    name: 'PodSecurity',
    resources: ['/pods', '/namespaces', ...controllers],
    validate(attributes) {
      const { stored, operation, subresource } = attributes;
      if (operation === 'DELETE') {
        return;
      }
      if (stored.resource === 'namespaces') {
        if (subresource === '') {
          checkNamespace(attributes, reader, clock, options);
        }
      } else if (stored.resource === 'pods') {
        if (!silentSubresources.has(subresource)) {
          evaluate(attributes, podOf);
        }
      } else if (subresource === '') {
        evaluate(attributes, templateOf);
      }
    },
  };
}

interface PodLike {
  readonly spec: PodSpec;
  readonly metadata: ObjectMeta;
}

function podOf(object: ApiObject): PodLike | undefined {
  const { spec, metadata = {} } = object as Pod;
  return spec === undefined ? undefined : { spec, metadata };
}

function templateOf(object: ApiObject): PodLike | undefined {
  const { template: own } = object as PodTemplate;
  const { template, jobTemplate } = ((object as Deployment | CronJob).spec ?? {}) as {
    readonly template?: PodTemplateSpec;
    readonly jobTemplate?: { readonly spec?: { readonly template: PodTemplateSpec } };
  };
  const found = own ?? template ?? jobTemplate?.spec?.template;
  return found === undefined ? undefined : podOf(found as ApiObject);
}

function isIndifferent({ enforce, audit, warn }: Policy, isPod: boolean): boolean {
  return warn.level === 'privileged' && audit.level === 'privileged' && (!isPod || enforce.level === 'privileged');
}

/** @throws StatusError Forbidden */
function judge(
  attributes: AdmissionAttributes,
  { enforce, audit, warn }: Policy,
  { spec, metadata }: PodLike,
  isPod: boolean,
  count: CountEvaluation,
): void {
  const known: { readonly policy: LevelVersion; readonly findings: readonly PodFinding[] }[] = [];
  const findingsOf = (policy: LevelVersion): readonly PodFinding[] => {
    const found = known.find((each) => isSame(each.policy, policy));
    if (found !== undefined) {
      return found.findings;
    }
    const findings = podFindings(policy, spec, metadata);
    known.push({ policy, findings });
    return findings;
  };
  if (findingsOf(audit).length > 0) {
    count('deny', audit, 'audit', attributes);
  }
  if (isPod) {
    const findings = findingsOf(enforce);
    count(findings.length === 0 ? 'allow' : 'deny', enforce, 'enforce', attributes);
    if (findings.length > 0) {
      const { stored, object, name } = attributes;
      const text = `violates PodSecurity "${policyText(enforce)}": ${detailText(findings)}`;
      throw forbidden(stored, object?.metadata?.name ?? name, text);
    }
  }
  const worrying = findingsOf(warn);
  if (worrying.length > 0) {
    count('deny', warn, 'warn', attributes);
    attributes.warnings.push(`would violate PodSecurity "${policyText(warn)}": ${detailText(worrying)}`);
  }
}

/** New labels must be readable; a stricter level says which pods it would refuse. @throws StatusError Invalid */
function checkNamespace(
  { object, old, operation, warnings, stored }: AdmissionAttributes,
  reader: ObjectReader,
  clock: Clock,
  { defaults, exemptions }: PodSecurityOptions,
): void {
  const next = object as Namespace;
  const name = next.metadata?.name ?? '';
  const { policy, errors } = policyOf(next.metadata?.labels ?? noLabels, defaults);
  const before = policyOf(old?.metadata?.labels ?? noLabels, defaults);
  const isNews = operation === 'CREATE' || JSON.stringify(errors) !== JSON.stringify(before.errors);
  if (errors.length > 0 && isNews) {
    throw invalid(stored, name, errors);
  }
  const { enforce } = policy;
  const was = before.policy.enforce;
  const isRelaxed = enforce.version === was.version && !isStricter(enforce.level, was.level);
  if (operation === 'CREATE' || enforce.level === 'privileged' || isRelaxed || exemptions.namespaces.has(name)) {
    return;
  }
  const pods = reader.all(resources.pods, name);
  warnings.push(...existingPodWarnings(name, enforce, pods, exemptions.runtimeClasses, () => clock.monotonicMs()));
}

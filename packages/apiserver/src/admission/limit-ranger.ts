import {
  type ApiObject,
  type Container,
  compareQuantities,
  forbidden,
  type LimitRange,
  type LimitRangeItem,
  type PersistentVolumeClaim,
  type Pod,
  type PodSpec,
  podLimits,
  podRequests,
  quantityOf,
  quantityOfMilli,
  quantityToNumber,
  type ResourceRequirements,
  resources,
} from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Amounts = Readonly<Record<string, string>>;
type Requirements = Pick<ResourceRequirements, 'requests' | 'limits'>;

/** Containers get the amounts that their namespace's LimitRanges default, and none outside of what they allow. */
export function limitRanger(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'LimitRanger',
    resources: ['/pods', '/persistentvolumeclaims'],
    admit(attributes, object) {
      // A pod's containers cannot change any more once it exists.
      if (attributes.stored.resource !== 'pods' || attributes.operation !== 'CREATE' || attributes.subresource !== '') {
        return object;
      }
      let pod = object as Pod;
      for (const range of reader.all(resources.limitranges, attributes.namespace)) {
        pod = withLimitDefaults(pod, range);
      }
      return pod;
    },
    validate(attributes) {
      const { object, old, stored, operation, subresource } = attributes;
      const isResize = stored.resource === 'pods' && subresource === 'resize';
      const isMeasured = isResize || (subresource === '' && (operation === 'CREATE' || stored.resource !== 'pods'));
      if (object === undefined || !isMeasured || old?.metadata?.deletionTimestamp !== undefined) {
        return;
      }
      for (const range of reader.all(resources.limitranges, attributes.namespace)) {
        const problems = limitProblems(object, range, stored.resource);
        if (problems.length > 0) {
          throw forbidden(stored, nameOf(attributes), joined(problems));
        }
      }
    },
  };
}

function nameOf({ object, name }: AdmissionAttributes): string {
  return object?.metadata?.name ?? name;
}

/** Several errors read as Go's aggregate does: each once, in brackets. */
function joined(problems: readonly string[]): string {
  const once = [...new Set(problems)];
  return once.length === 1 ? (once[0] ?? '') : `[${once.join(', ')}]`;
}

export function withLimitDefaults(pod: Pod, range: LimitRange): Pod {
  const items = (range.spec?.limits ?? []).filter(({ type }) => type === 'Container');
  const requests: Amounts = Object.assign({}, ...items.map(({ defaultRequest }) => defaultRequest));
  const limits: Amounts = Object.assign({}, ...items.map((item) => item.default));
  const { spec } = pod;
  if (spec === undefined || (isEmpty(requests) && isEmpty(limits))) {
    return pod;
  }
  const notes: string[] = [];
  const filled = (container: Container, what: string): Container => {
    const own: Requirements = container.resources ?? {};
    const addedRequests = absent(requests, own.requests);
    const addedLimits = absent(limits, own.limits);
    const note = (added: Amounts, which: string): void => {
      if (!isEmpty(added)) {
        notes.push(`${Object.keys(added).sort().join(', ')} ${which} for ${what} ${container.name}`);
      }
    };
    note(addedRequests, 'request');
    note(addedLimits, 'limit');
    return {
      ...container,
      resources: { ...own, ...merged('requests', own, addedRequests), ...merged('limits', own, addedLimits) },
    };
  };
  const containers = spec.containers.map((container) => filled(container, 'container'));
  const initContainers = spec.initContainers?.map((container) => filled(container, 'init container'));
  if (notes.length === 0) {
    return pod;
  }
  const annotations = { ...pod.metadata?.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` };
  const next: PodSpec = { ...spec, containers, ...(initContainers === undefined ? {} : { initContainers }) };
  return { ...pod, metadata: { ...pod.metadata, annotations }, spec: next };
}

function merged(which: 'requests' | 'limits', own: Requirements, added: Amounts): Requirements {
  return isEmpty(added) ? {} : { [which]: { ...own[which], ...added } };
}

function absent(defaults: Amounts, given: Amounts | undefined): Amounts {
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => given?.[name] === undefined));
}

function isEmpty(amounts: Amounts): boolean {
  for (const _ in amounts) {
    return false;
  }
  return true;
}

/** What the range does not allow of the object. */
export function limitProblems(object: ApiObject, range: LimitRange, resource: string): readonly string[] {
  const items = range.spec?.limits ?? [];
  return items.flatMap((item) =>
    resource === 'pods' ? podProblems(object as Pod, item) : claimProblems(object as PersistentVolumeClaim, item),
  );
}

function podProblems(pod: Pod, item: LimitRangeItem): readonly string[] {
  const { spec } = pod;
  switch (item.type) {
    case 'Container':
      return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap((container) =>
        problemsOf(container.resources ?? {}, item),
      );
    case 'Pod':
      return problemsOf({ requests: sums(podRequests(pod)), limits: sums(podLimits(pod)) }, item);
    default:
      return [];
  }
}

function sums(amounts: Readonly<Record<string, number>>): Amounts {
  const text = (name: string, amount: number): string =>
    name === 'cpu' ? quantityOfMilli(Math.ceil(amount)) : quantityOf(Math.ceil(amount));
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, text(name, amount)]));
}

function problemsOf({ requests = {}, limits = {} }: Requirements, item: LimitRangeItem): readonly string[] {
  return [
    ...each(item.min, (name, bound) => tooSmall(name, item.type, bound, requests[name], limits[name])),
    ...each(item.max, (name, bound) => tooLarge(name, item.type, bound, requests[name], limits[name])),
    ...each(item.maxLimitRequestRatio, (name, bound) => tooFar(name, item.type, bound, requests[name], limits[name])),
  ];
}

function claimProblems({ spec }: PersistentVolumeClaim, item: LimitRangeItem): readonly string[] {
  if (item.type !== 'PersistentVolumeClaim') {
    return [];
  }
  const requests = spec?.resources?.requests ?? {};
  return [
    ...each(item.min, (name, bound) => tooSmall(name, item.type, bound, requests[name], undefined)),
    ...each(item.max, (name, bound) => {
      const request = requests[name];
      const text = `maximum ${name} usage per ${item.type} is ${bound}`;
      if (request === undefined) {
        return `${text}.  No request is specified`;
      }
      return compareQuantities(request, bound) > 0 ? `${text}, but request is ${request}` : undefined;
    }),
  ];
}

function each(
  bounds: Amounts | undefined,
  problem: (name: string, bound: string) => string | undefined,
): readonly string[] {
  return Object.entries(bounds ?? {}).flatMap(([name, bound]) => problem(name, bound) ?? []);
}

type Maybe = string | undefined;

function tooSmall(name: string, type: string, bound: string, request: Maybe, limit: Maybe): Maybe {
  const text = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) {
    return `${text}.  No request is specified`;
  }
  if (compareQuantities(request, bound) < 0) {
    return `${text}, but request is ${request}`;
  }
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? `${text}, but limit is ${limit}` : undefined;
}

function tooLarge(name: string, type: string, bound: string, request: Maybe, limit: Maybe): Maybe {
  const text = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) {
    return `${text}.  No limit is specified`;
  }
  if (compareQuantities(limit, bound) > 0) {
    return `${text}, but limit is ${limit}`;
  }
  return request !== undefined && compareQuantities(request, bound) > 0
    ? `${text}, but request is ${request}`
    : undefined;
}

function tooFar(name: string, type: string, bound: string, request: Maybe, limit: Maybe): Maybe {
  const text = `${name} max limit to request ratio per ${type} is ${bound}`;
  const asked = quantityToNumber(request ?? '0');
  const allowed = quantityToNumber(limit ?? '0');
  if (asked === 0) {
    return `${text}, but no request is specified or request is 0`;
  }
  if (allowed === 0) {
    return `${text}, but no limit is specified or limit is 0`;
  }
  const ratio = allowed / asked;
  return ratio > quantityToNumber(bound) ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

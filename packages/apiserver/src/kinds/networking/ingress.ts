import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressRule, IngressSpec } from '@wherry/api';
import { parseIp } from '../addresses.ts';
import { ageColumn, nameColumn, none, text } from '../cells.ts';
import {
  checkDnsSubdomain,
  checkImmutable,
  checkName,
  checkPortNumber,
  checkRequired,
  checkSupported,
} from '../checks.ts';
import { checkIngressPoints, ingressPointsText } from '../core/service/load-balancer.ts';
import { type Findings, forbidden, invalid, notSupported, required, tooLong } from '../findings.ts';
import {
  asPrefix,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  pathSegment,
  portName,
  wildcardSubdomain,
} from '../names.ts';
import { strategyOf } from '../plain.ts';
import { domainPrefixedPath } from '../signer-names.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];
const controllerLengthMax = 250;
const shownMax = 3;

export const ingressStrategy = strategyOf<Ingress>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, ingress) => checkIngressSpec(findings, ingress.spec ?? {}),
  checkCreate: (findings, ingress) => {
    const annotated = ingress.metadata?.annotations?.[classAnnotation];
    if (annotated !== undefined && ingress.spec?.ingressClassName !== undefined) {
      const detail = 'can not be set when the class field is also set';
      findings.push(invalid(`annotations.${classAnnotation}`, annotated, detail));
    }
  },
  checkStatus: (findings, next) => {
    checkIngressPoints(findings, next.status?.loadBalancer?.ingress, false, 'status.loadBalancer.ingress');
  },
  columns: [
    nameColumn,
    text('Class', (ingress) => ingress.spec?.ingressClassName ?? none),
    text('Hosts', hostsText),
    text('Address', (ingress) => ingressPointsText(ingress.status?.loadBalancer?.ingress)),
    text('Ports', (ingress) => ((ingress.spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
});

export const ingressClassStrategy = strategyOf<IngressClass>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: checkIngressClass,
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec?.controller, old.spec?.controller, 'spec.controller');
  },
  columns: [
    nameColumn,
    text('Controller', (ingressClass) => ingressClass.spec?.controller ?? ''),
    text('Parameters', ({ spec }) => {
      if (spec?.parameters === undefined) return none;
      const { apiGroup, kind, name } = spec.parameters;
      return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;
    }),
    ageColumn,
  ],
});

function checkIngressSpec(findings: Findings, spec: IngressSpec): void {
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    findings.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend !== undefined) checkBackend(findings, spec.defaultBackend, 'spec.defaultBackend');
  for (const [index, rule] of rules.entries()) checkRule(findings, rule, `spec.rules[${index}]`);
  for (const [index, tls] of (spec.tls ?? []).entries()) {
    for (const host of tls.hosts ?? []) checkHost(findings, host, `spec.tls[${index}].hosts`);
    if (tls.secretName) checkDnsSubdomain(findings, tls.secretName, `spec.tls[${index}].secretName`);
  }
  if (spec.ingressClassName !== undefined) {
    checkDnsSubdomain(findings, spec.ingressClassName, 'spec.ingressClassName');
  }
}

function checkRule(findings: Findings, rule: IngressRule, path: string): void {
  if (rule.host) {
    if (parseIp(rule.host) !== undefined) {
      findings.push(invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'));
    }
    checkHost(findings, rule.host, `${path}.host`);
  }
  if (rule.http === undefined) return;
  if (rule.http.paths.length === 0) findings.push(required(`${path}.http.paths`, ''));
  for (const [index, each] of rule.http.paths.entries()) checkPath(findings, each, `${path}.http.paths[${index}]`);
}

function checkHost(findings: Findings, host: string, path: string): void {
  checkName(findings, host.includes('*') ? wildcardSubdomain : dns1123Subdomain, host, path);
}

function checkPath(findings: Findings, path: HTTPIngressPath, at: string): void {
  const value = path.path ?? '';
  if (!path.pathType) {
    findings.push(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  if (!pathTypes.includes(path.pathType)) {
    findings.push(notSupported(`${at}.pathType`, path.pathType, pathTypes));
  } else {
    const isFree = path.pathType === 'ImplementationSpecific';
    if (!value.startsWith('/') && !(isFree && value === '')) {
      findings.push(invalid(`${at}.path`, value, 'must be an absolute path'));
    }
    if (!isFree) {
      for (const bad of badSequences.filter((text) => value.includes(text))) {
        findings.push(invalid(`${at}.path`, value, `must not contain '${bad}'`));
      }
      for (const bad of badSuffixes.filter((text) => value.endsWith(text))) {
        findings.push(invalid(`${at}.path`, value, `cannot end with '${bad}'`));
      }
    }
  }
  checkBackend(findings, path.backend, `${at}.backend`);
}

function checkBackend(findings: Findings, backend: IngressBackend, path: string): void {
  const { resource, service } = backend;
  if (resource !== undefined && service !== undefined) {
    findings.push(invalid(path, '', 'cannot set both resource and service backends'));
  } else if (resource !== undefined) {
    checkTypedReference(findings, resource, `${path}.resource`);
  } else if (service === undefined) {
    findings.push(invalid(path, '', 'resource or service backend is required'));
  } else {
    if (checkRequired(findings, service.name, `${path}.service.name`)) {
      checkName(findings, dns1035Label, service.name, `${path}.service.name`);
    }
    const { name, number } = service.port ?? {};
    if (name && number) findings.push(invalid(path, '', 'cannot set both port name & port number'));
    else if (name) checkName(findings, portName, name, `${path}.service.port.name`);
    else if (number) checkPortNumber(findings, number, `${path}.service.port.number`);
    else findings.push(required(path, 'port name or number is required'));
  }
}

function checkTypedReference(
  findings: Findings,
  reference: { readonly apiGroup?: string; readonly kind: string; readonly name: string },
  path: string,
): void {
  if (reference.apiGroup !== undefined) checkDnsSubdomain(findings, reference.apiGroup, `${path}.apiGroup`);
  for (const field of ['kind', 'name'] as const) {
    if (!checkRequired(findings, reference[field], `${path}.${field}`, `${field} is required`)) continue;
    checkName(findings, pathSegment, reference[field], `${path}.${field}`);
  }
}

function checkIngressClass(findings: Findings, ingressClass: IngressClass): void {
  const controller = ingressClass.spec?.controller ?? '';
  if (controller.length > controllerLengthMax) {
    findings.push(tooLong('spec.controller', controller, controllerLengthMax));
  }
  if (checkRequired(findings, controller, 'spec.controller')) {
    checkName(findings, domainPrefixedPath, controller, 'spec.controller');
  }
  const parameters = ingressClass.spec?.parameters;
  const path = 'spec.parameters';
  if (parameters === undefined) return;
  checkTypedReference(findings, parameters, path);
  const { namespace, scope } = parameters;
  if (!checkRequired(findings, scope, `${path}.scope`)) return;
  checkSupported(findings, scope, ['Cluster', 'Namespace'], `${path}.scope`);
  if (scope === 'Namespace') {
    if (namespace === undefined) {
      findings.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    } else checkName(findings, dns1123Label, namespace, `${path}.namespace`);
  } else if (scope === 'Cluster' && namespace !== undefined) {
    findings.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
}

function hostsText(ingress: Ingress): string {
  const rules = ingress.spec?.rules ?? [];
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, shownMax).join(',');
  return hosts.length >= shownMax && rules.length > shownMax ? `${shown} + ${rules.length - shownMax} more...` : shown;
}

import type { Service, ServicePort, ServiceSpec } from '@wherry/api';
import { checkCidr, checkIp, checkNonSpecialIp } from '../../addresses.ts';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabels,
  checkOneOf,
  checkPortNumber,
  checkPortNumberOrName,
  checkQualifiedName,
  checkRequired,
  checkSupported,
} from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid, required } from '../../findings.ts';
import { checkServiceAddresses } from './addresses.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckPort, specOf } from './types.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const affinities = ['ClientIP', 'None'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const trafficPolicies = ['Cluster', 'Local'];
const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
const affinitySecondsMax = 86_400;
const kubeletPort = 10_250;
const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

export function checkService(findings: Findings, service: Service): void {
  const spec = specOf(service);
  checkTypeRules(findings, spec);
  checkPorts(findings, spec);
  checkLabels(findings, spec.selector, 'spec.selector');
  checkAffinity(findings, spec);
  checkServiceAddresses(findings, spec);
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    if (checkIp(findings, ip, `spec.externalIPs[${index}]`)) {
      checkNonSpecialIp(findings, ip, `spec.externalIPs[${index}]`);
    }
  }
  checkOneOf(findings, spec.type, types, 'spec.type');
  checkLoadBalancer(findings, service, spec);
  checkTraffic(findings, spec);
}

function checkTypeRules(findings: Findings, spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  const headless = isHeadless(spec);
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') findings.push(required('spec.ports', ''));
  if (spec.type === 'LoadBalancer') {
    for (const [index, { port }] of ports.entries()) {
      if (port !== kubeletPort) continue;
      const detail = `may not expose port ${kubeletPort} externally since it is used by kubelet`;
      findings.push(invalid(`spec.ports[${index}]`, port, detail));
    }
  }
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    findings.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type === 'ExternalName') checkExternalName(findings, spec);
}

function checkExternalName(findings: Findings, spec: ServiceSpec): void {
  const detail = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0 || spec.clusterIP) findings.push(forbidden('spec.clusterIPs', detail));
  if ((spec.ipFamilies ?? []).length > 0) findings.push(forbidden('spec.ipFamilies', detail));
  if (spec.ipFamilyPolicy !== undefined) findings.push(forbidden('spec.ipFamilyPolicy', detail));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (checkRequired(findings, name, 'spec.externalName')) checkDnsSubdomain(findings, name, 'spec.externalName');
}

function checkPorts(findings: Findings, spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    checkPort(findings, port, ports.length > 1, names, `spec.ports[${index}]`);
  }
  if (spec.type === 'ClusterIP') {
    for (const [index, port] of ports.entries()) {
      if (!port.nodePort) continue;
      findings.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    if (!port.nodePort) continue;
    const key = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(key)) findings.push(duplicate(`spec.ports[${index}].nodePort`, port.nodePort));
    nodePorts.add(key);
  }
  const seen = new Set<string>();
  for (const [index, { port, protocol }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    if (seen.has(key)) findings.push(duplicate(`spec.ports[${index}]`, { protocol, port }));
    seen.add(key);
  }
}

function checkPort(findings: Findings, port: ServicePort, needsName: boolean, names: Set<string>, path: string): void {
  if (!port.name) {
    if (needsName) findings.push(required(`${path}.name`, ''));
  } else {
    checkDnsLabel(findings, port.name, `${path}.name`);
    if (names.has(port.name)) findings.push(duplicate(`${path}.name`, port.name));
    names.add(port.name);
  }
  checkPortNumber(findings, port.port, `${path}.port`);
  checkOneOf(findings, port.protocol, protocols, `${path}.protocol`);
  checkPortNumberOrName(findings, port.targetPort, `${path}.targetPort`);
  if (port.appProtocol !== undefined) checkQualifiedName(findings, port.appProtocol, `${path}.appProtocol`);
}

function checkAffinity(findings: Findings, spec: ServiceSpec): void {
  checkOneOf(findings, spec.sessionAffinity, affinities, 'spec.sessionAffinity');
  const config = spec.sessionAffinityConfig;
  const path = 'spec.sessionAffinityConfig';
  if (spec.sessionAffinity === 'None' && config !== undefined) {
    findings.push(forbidden(path, 'must not be set when session affinity is None'));
  }
  if (spec.sessionAffinity !== 'ClientIP') return;
  const detail = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (config === undefined) findings.push(required(path, detail));
  else if (config.clientIP === undefined) findings.push(required(`${path}.clientIP`, detail));
  else if (seconds === undefined) findings.push(required(`${path}.clientIP.timeoutSeconds`, detail));
  else if (seconds <= 0 || seconds > affinitySecondsMax) {
    const range = `must be greater than 0 and less than ${affinitySecondsMax}`;
    findings.push(invalid(`${path}.clientIP.timeoutSeconds`, seconds, range));
  }
}

function checkLoadBalancer(findings: Findings, service: Service, spec: ServiceSpec): void {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = service.metadata?.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges';
    if (!isLoadBalancer) findings.push(forbidden(path, onlyLoadBalancer));
    for (const [index, range] of ranges.entries()) checkCidr(findings, range.trim(), `${path}[${index}]`);
  } else if (annotation !== undefined) {
    const path = `metadata.annotations[${sourceRangesAnnotation}]`;
    if (!isLoadBalancer) findings.push(forbidden(path, onlyLoadBalancer));
    for (const range of annotation.trim() === '' ? [] : annotation.split(',')) checkCidr(findings, range.trim(), path);
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) {
    findings.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyLoadBalancer));
  }
  if (isLoadBalancer && spec.allocateLoadBalancerNodePorts === undefined) {
    findings.push(required('allocateLoadBalancerNodePorts', ''));
  }
  if (spec.loadBalancerClass === undefined) return;
  if (isLoadBalancer) checkQualifiedName(findings, spec.loadBalancerClass, 'spec.loadBalancerClass');
  else findings.push(forbidden('spec.loadBalancerClass', onlyLoadBalancer));
}

function checkTraffic(findings: Findings, spec: ServiceSpec): void {
  const { externalTrafficPolicy: external, healthCheckNodePort } = spec;
  if (isExternallyAccessible(spec)) {
    checkOneOf(findings, external, trafficPolicies, 'spec.externalTrafficPolicy');
  } else if (external) {
    const detail = 'may only be set for externally-accessible services';
    findings.push(invalid('spec.externalTrafficPolicy', external, detail));
  }
  // A needed port that is missing is allocated after this.
  if (healthCheckNodePort && !needsHealthCheckPort(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    findings.push(invalid('spec.healthCheckNodePort', healthCheckNodePort, detail));
  } else if (healthCheckNodePort) {
    checkPortNumber(findings, healthCheckNodePort, 'spec.healthCheckNodePort');
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined && spec.type !== 'ExternalName' && types.includes(spec.type ?? '')) {
    findings.push(required('spec.internalTrafficPolicy', ''));
  }
  checkSupported(findings, internal, trafficPolicies, 'spec.internalTrafficPolicy');
  checkSupported(findings, spec.trafficDistribution, distributions, 'spec.trafficDistribution');
}

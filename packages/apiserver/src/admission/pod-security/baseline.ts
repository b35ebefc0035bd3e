// The checks of the baseline level (Pod Security Standards): no known way to more privileges.
import type { Container, LifecycleHandler, PodSpec, Probe } from '@wherry/api';
import {
  containersText,
  everyContainer,
  hasOwnUsers,
  namesWhere,
  type PodCheck,
  plural,
  quoted,
  settersText,
  sortedOnce,
} from './finding.ts';

const profileTypes = new Set(['RuntimeDefault', 'Localhost']);
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

export const appArmor: PodCheck = (spec, metadata) => {
  const podType = spec.securityContext?.appArmorProfile?.type;
  const isBadPod = podType !== undefined && !profileTypes.has(podType);
  const values = new Set(isBadPod ? [podType] : []);
  const containers = namesWhere(spec, ({ securityContext }) => {
    const type = securityContext?.appArmorProfile?.type;
    const isBad = type !== undefined && !profileTypes.has(type);
    if (isBad) values.add(type);
    return isBad;
  });
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !isAppArmorAnnotation(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const setters = [
    settersText(isBadPod, containers),
    annotations.length > 0 ? plural('annotation', annotations.length) : '',
  ];
  const named = setters.filter((text) => text !== '');
  if (named.length === 0) return undefined;
  const bad = [...sortedOnce(values), ...annotations];
  return {
    reason: plural('forbidden AppArmor profile', bad.length),
    detail: `${named.join(' and ')} must not set AppArmor profile type to ${quoted(bad)}`,
  };
};

function isAppArmorAnnotation(value: string): boolean {
  return value === '' || value === 'runtime/default' || value.startsWith('localhost/');
}

const ordinaryCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

export const capabilities: PodCheck = (spec) => {
  const bad = new Set<string>();
  const containers = namesWhere(spec, ({ securityContext }) => {
    const added = (securityContext?.capabilities?.add ?? []).filter((name) => !ordinaryCapabilities.has(name));
    for (const name of added) bad.add(name);
    return added.length > 0;
  });
  if (containers.length === 0) return undefined;
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(containers)} must not include ${quoted(sortedOnce(bad))} in securityContext.capabilities.add`,
  };
};

export const hostNamespaces: PodCheck = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map((name) => `${name}=true`).join(', ') };
};

export const hostPathVolumes: PodCheck = (spec) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` };
};

export const hostPorts: PodCheck = (spec) => {
  const ports = new Set<string>();
  const containers = namesWhere(spec, (container) => {
    const used = (container.ports ?? []).filter(({ hostPort }) => (hostPort ?? 0) !== 0);
    for (const { hostPort } of used) ports.add(String(hostPort));
    return used.length > 0;
  });
  if (containers.length === 0) return undefined;
  const uses = containers.length === 1 ? 'uses' : 'use';
  const detail = `${containersText(containers)} ${uses} ${plural('hostPort', ports.size)} ${sortedOnce(ports).join(', ')}`;
  return { reason: 'hostPort', detail };
};

export const hostProbes: PodCheck = (spec) => {
  const hosts = new Set<string>();
  const containers = namesWhere(spec, (container) => {
    const found = hostsOf(container);
    for (const host of found) hosts.add(host);
    return found.length > 0;
  });
  if (containers.length === 0) return undefined;
  const uses = containers.length === 1 ? 'uses' : 'use';
  const what = plural('probe or lifecycle host', hosts.size);
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(sortedOnce(containers))} ${uses} ${what} ${quoted(sortedOnce(hosts))}`,
  };
};

function hostsOf({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): readonly string[] {
  const handlers: readonly (Probe | LifecycleHandler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers.flatMap((handler) =>
    [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''].filter((host) => host !== ''),
  );
}

export const privileged: PodCheck = (spec) => {
  const containers = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true);
  if (containers.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${containersText(containers)} must not set securityContext.privileged=true`,
  };
};

export const procMount: PodCheck = (spec) => {
  const types = new Set<string>();
  const containers = namesWhere(spec, ({ securityContext }) => {
    const type = securityContext?.procMount ?? 'Default';
    if (type !== 'Default') types.add(type);
    return type !== 'Default';
  });
  if (containers.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${containersText(containers)} must not set securityContext.procMount to ${quoted(sortedOnce(types))}`,
  };
};

export const procMountWithUsers: PodCheck = (spec, metadata) =>
  hasOwnUsers(spec) ? undefined : procMount(spec, metadata);

const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

export const seLinux: PodCheck = (spec) => seLinuxFinding(spec, seLinuxTypes);
export const seLinuxWithEngine: PodCheck = (spec) => seLinuxFinding(spec, [...seLinuxTypes, 'container_engine_t']);

function seLinuxFinding(spec: PodSpec, allowed: readonly string[]) {
  const types = new Set<string>();
  let setsUser = false;
  let setsRole = false;
  const isBad = ({
    securityContext,
  }: Pick<Container, 'securityContext'> | Pick<PodSpec, 'securityContext'>): boolean => {
    const { type = '', user = '', role = '' } = securityContext?.seLinuxOptions ?? {};
    const isBadType = !allowed.includes(type);
    if (isBadType) types.add(type);
    setsUser ||= user !== '';
    setsRole ||= role !== '';
    return isBadType || user !== '' || role !== '';
  };
  const isBadPod = isBad(spec);
  const containers = namesWhere(spec, isBad);
  if (!isBadPod && containers.length === 0) return undefined;
  const data = [
    types.size > 0 ? `${plural('type', types.size)} ${quoted(sortedOnce(types))}` : '',
    setsUser ? 'user may not be set' : '',
    setsRole ? 'role may not be set' : '',
  ].filter((text) => text !== '');
  return {
    reason: 'seLinuxOptions',
    detail: `${settersText(isBadPod, containers)} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  };
}

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';

/** Before 1.19, when profiles were annotations. */
export const seccompAnnotations: PodCheck = (spec, { annotations = {} }) => {
  const keys = [seccompPod, ...everyContainer(spec).map(({ name }) => `${seccompContainer}${name}`)];
  const bad = keys.flatMap((key) => {
    const value = annotations[key];
    return value === undefined || isSeccompAnnotation(value) ? [] : [`${key}=${JSON.stringify(value)}`];
  });
  if (bad.length === 0) return undefined;
  const listed = sortedOnce(bad);
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', listed.length)} ${listed.join(', ')}` };
};

function isSeccompAnnotation(value: string): boolean {
  return value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
}

export const seccomp: PodCheck = (spec) => {
  const values = new Set<string>();
  const isBad = (type: string | undefined): boolean => {
    const bad = type !== undefined && !profileTypes.has(type);
    if (bad) values.add(type);
    return bad;
  };
  const isBadPod = isBad(spec.securityContext?.seccompProfile?.type);
  const containers = namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile?.type));
  if (!isBadPod && containers.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${settersText(isBadPod, containers)} must not set securityContext.seccompProfile.type to ${quoted(sortedOnce(values))}`,
  };
};

const sysctls10 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const sysctls27 = [...sysctls10, 'net.ipv4.ip_local_reserved_ports'];
const sysctls29 = [
  ...sysctls27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const sysctls32 = [...sysctls29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

function sysctlCheck(safe: readonly string[]): PodCheck {
  return (spec) => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };
}

/** By the minor version from which on the list holds. */
export const sysctls: readonly (readonly [number, PodCheck])[] = [
  [0, sysctlCheck(sysctls10)],
  [27, sysctlCheck(sysctls27)],
  [29, sysctlCheck(sysctls29)],
  [32, sysctlCheck(sysctls32)],
];

export const windowsHostProcess: PodCheck = (spec) => {
  const isBadPod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const containers = namesWhere(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  if (!isBadPod && containers.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${settersText(isBadPod, containers)} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};

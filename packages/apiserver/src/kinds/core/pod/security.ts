import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, Sysctl } from '@wherry/api';
import { checkDnsSubdomain, checkRange, checkRequired, checkSupported } from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid, notSupported, required, tooLong } from '../../findings.ts';
import { checkDescendingPath } from './paths.ts';
import { eachContainer } from './walk.ts';

const identityMax = 2_147_483_647;
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const localhostProfileLengthMax = 4095;
const sysctlLengthMax = 253;
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlName = new RegExp(sysctlPattern);
const windowsPod = 'cannot be set for a windows pod';

export function checkPodSecurity(findings: Findings, spec: PodSpec, path: string): void {
  const context = spec.securityContext;
  const at = `${path}.securityContext`;
  if (context !== undefined) {
    checkRange(findings, context.fsGroup, 0, identityMax, `${at}.fsGroup`);
    checkRange(findings, context.runAsUser, 0, identityMax, `${at}.runAsUser`);
    checkRange(findings, context.runAsGroup, 0, identityMax, `${at}.runAsGroup`);
    for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
      checkRange(findings, group, 0, identityMax, `${at}.supplementalGroups[${index}]`);
    }
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    findings.push(invalid(`${at}.shareProcessNamespace`, true, detail));
  }
  if (context !== undefined) {
    checkSysctls(findings, context.sysctls, spec, `${at}.sysctls`);
    checkSupported(findings, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${at}.fsGroupChangePolicy`);
    checkSeccomp(findings, context.seccompProfile, `${at}.seccompProfile`);
    checkAppArmor(findings, context.appArmorProfile, `${at}.appArmorProfile`);
    checkWindows(findings, context.windowsOptions, `${at}.windowsOptions`);
    checkSupported(findings, context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${at}.supplementalGroupsPolicy`);
    checkSupported(findings, context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${at}.seLinuxChangePolicy`);
  }
  if (spec.hostUsers === false) checkUserNamespace(findings, spec, path);
  if (spec.os !== undefined) checkOperatingSystem(findings, spec, path);
}

export function checkContainerSecurity(
  findings: Findings,
  context: SecurityContext | undefined,
  hostUsers: boolean,
  path: string,
): void {
  if (context === undefined) return;
  checkRange(findings, context.runAsUser, 0, identityMax, `${path}.runAsUser`);
  checkRange(findings, context.runAsGroup, 0, identityMax, `${path}.runAsGroup`);
  if (context.procMount !== undefined) {
    checkSupported(findings, context.procMount, ['Default', 'Unmasked'], `${path}.procMount`);
    if (hostUsers && context.procMount === 'Unmasked') {
      const detail = '`hostUsers` must be false to use `Unmasked`';
      findings.push(invalid(`${path}.procMount`, context.procMount, detail));
    }
  }
  checkSeccomp(findings, context.seccompProfile, `${path}.seccompProfile`);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      findings.push(invalid(path, context, detail));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      findings.push(invalid(path, context, detail));
    }
  }
  checkWindows(findings, context.windowsOptions, `${path}.windowsOptions`);
  checkAppArmor(findings, context.appArmorProfile, `${path}.appArmorProfile`);
}

export function checkSeccomp(findings: Findings, profile: SeccompProfile | undefined, path: string): void {
  if (profile === undefined) return;
  if (checkRequired(findings, profile.type, `${path}.type`, 'type is required when seccompProfile is set')) {
    checkSupported(findings, profile.type, profileTypes, `${path}.type`);
  }
  const at = `${path}.localhostProfile`;
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) {
      findings.push(required(at, 'must be set when seccomp type is Localhost'));
    } else {
      checkDescendingPath(findings, profile.localhostProfile, at);
    }
  } else if (profile.localhostProfile !== undefined) {
    findings.push(invalid(at, profile, 'can only be set when seccomp type is Localhost'));
  }
}

function checkAppArmor(findings: Findings, profile: AppArmorProfile | undefined, path: string): void {
  if (profile === undefined) return;
  const at = `${path}.localhostProfile`;
  const { localhostProfile } = profile;
  if (!checkRequired(findings, profile.type, `${path}.type`, 'type is required when appArmorProfile is set')) return;
  if (!checkSupported(findings, profile.type, profileTypes, `${path}.type`)) return;
  if (profile.type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      findings.push(invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost'));
    }
    return;
  }
  if (localhostProfile === undefined || localhostProfile === '') {
    findings.push(required(at, 'must be set when AppArmor type is Localhost'));
  } else if (localhostProfile.trim() !== localhostProfile) {
    findings.push(invalid(at, localhostProfile, 'must not be padded with whitespace'));
  }
  if ((localhostProfile ?? '').length > localhostProfileLengthMax) {
    findings.push(tooLong(at, localhostProfile, localhostProfileLengthMax));
  }
}

function checkSysctls(findings: Findings, sysctls: readonly Sysctl[] | undefined, spec: PodSpec, path: string): void {
  if (sysctls === undefined) return;
  const seen = new Set<string>();
  for (const [index, { name }] of sysctls.entries()) {
    const at = `${path}[${index}].name`;
    if (name === '') findings.push(required(at, ''));
    else if (name.length > sysctlLengthMax || !sysctlName.test(name)) {
      const detail = `must have at most ${sysctlLengthMax} characters and match regex ${sysctlPattern}`;
      findings.push(invalid(at, name, detail));
    } else if (seen.has(name)) findings.push(duplicate(at, name));
    seen.add(name);
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      findings.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) {
      findings.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
  }
}

function checkWindows(findings: Findings, options: SecurityContext['windowsOptions'], path: string): void {
  if (options?.gmsaCredentialSpecName === undefined) return;
  checkDnsSubdomain(findings, options.gmsaCredentialSpecName, `${path}.gmsaCredentialSpecName`);
}

function checkUserNamespace(findings: Findings, spec: PodSpec, path: string): void {
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) findings.push(forbidden(`${path}.hostNetwork`, detail));
  if (spec.hostPID === true) findings.push(forbidden(`${path}.HostPID`, detail));
  if (spec.hostIPC === true) findings.push(forbidden(`${path}.HostIPC`, detail));
}

function checkOperatingSystem(findings: Findings, spec: PodSpec, path: string): void {
  const name = spec.os?.name ?? '';
  if (!checkRequired(findings, name, `${path}.os.name`)) return;
  if (name === 'linux') checkLinux(findings, spec, path);
  else if (name === 'windows') checkWindowsPod(findings, spec, path);
  else findings.push(notSupported(`${path}.os.name`, name, ['linux', 'windows']));
}

function checkLinux(findings: Findings, spec: PodSpec, path: string): void {
  const detail = 'windows options cannot be set for a linux pod';
  if (spec.securityContext?.windowsOptions !== undefined) {
    findings.push(forbidden(`${path}.securityContext.windowsOptions`, detail));
  }
  eachContainer(spec, path, (container, at) => {
    if (container.securityContext?.windowsOptions === undefined) return;
    findings.push(forbidden(`${at}.securityContext.windowsOptions`, detail));
  });
}

const linuxOnlyPodFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
] as const;

const linuxOnlyContainerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

function checkWindowsPod(findings: Findings, spec: PodSpec, path: string): void {
  for (const field of linuxOnlyPodFields) {
    if (spec.securityContext?.[field] === undefined) continue;
    findings.push(forbidden(`${path}.securityContext.${field}`, windowsPod));
  }
  if (spec.hostUsers !== undefined) findings.push(forbidden(`${path}.hostUsers`, windowsPod));
  if (spec.hostPID === true) findings.push(forbidden(`${path}.hostPID`, windowsPod));
  if (spec.hostIPC === true) findings.push(forbidden(`${path}.hostIPC`, windowsPod));
  if (spec.shareProcessNamespace !== undefined) findings.push(forbidden(`${path}.shareProcessNamespace`, windowsPod));
  eachContainer(spec, path, (container, at) => {
    for (const field of linuxOnlyContainerFields) {
      if (container.securityContext?.[field] === undefined) continue;
      findings.push(forbidden(`${at}.securityContext.${field}`, windowsPod));
    }
  });
}

import type { Volume, VolumeDevice, VolumeMount } from '@wherry/api';
import { checkRequired, checkSupported } from '../../checks.ts';
import { type Findings, forbidden, invalid, notFound } from '../../findings.ts';
import { checkDescendingPath, hasBackstep } from './paths.ts';
import type { AnyContainer } from './walk.ts';

export type VolumesByName = ReadonlyMap<string, Volume>;

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const recursiveReadOnlyModes = ['Disabled', 'Enabled', 'IfPossible'];

export function checkVolumeMounts(
  findings: Findings,
  container: AnyContainer,
  volumes: VolumesByName,
  path: string,
): void {
  const mounts = container.volumeMounts;
  if (mounts === undefined) return;
  const devices = container.volumeDevices ?? [];
  const seen = new Set<string>();
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i];
    if (mount === undefined) continue;
    const at = `${path}[${i}]`;
    checkRequired(findings, mount.name, `${at}.name`);
    if (!volumes.has(mount.name)) findings.push(notFound(`${at}.name`, mount.name));
    checkRequired(findings, mount.mountPath, `${at}.mountPath`);
    if (seen.has(mount.mountPath)) findings.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    seen.add(mount.mountPath);
    if (devices.some((device) => device.name === mount.name)) {
      findings.push(invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((device) => device.devicePath === mount.mountPath)) {
      findings.push(invalid(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'));
    }
    // Upstream names the list, not its entry, in the four paths below.
    if (mount.subPath) checkDescendingPath(findings, mount.subPath, `${path}.subPath`);
    if (mount.subPathExpr) checkSubPathExpression(findings, mount, at, path);
    checkPropagation(findings, mount, container, `${path}.mountPropagation`);
    checkRecursiveReadOnly(findings, mount, `${path}.recursiveReadOnly`);
  }
}

export function checkVolumeDevices(
  findings: Findings,
  container: AnyContainer,
  volumes: VolumesByName,
  path: string,
): void {
  const devices = container.volumeDevices;
  if (devices === undefined) return;
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, device] of devices.entries()) {
    const at = `${path}[${index}]`;
    checkDeviceName(findings, device, volumes, names, `${at}.name`);
    checkRequired(findings, device.devicePath, `${at}.devicePath`);
    if (paths.has(device.devicePath)) {
      findings.push(invalid(`${at}.devicePath`, device.devicePath, 'must be unique'));
    }
    if (hasBackstep(device.devicePath)) {
      findings.push(invalid(`${at}.devicePath`, device.devicePath, "can not contain backsteps ('..')"));
    } else {
      paths.add(device.devicePath);
    }
    if (mounts.some((mount) => mount.name === device.name)) {
      findings.push(invalid(`${at}.name`, device.name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((mount) => mount.mountPath === device.devicePath)) {
      findings.push(invalid(`${at}.devicePath`, device.devicePath, 'must not already exist as a path in volumeMounts'));
    }
  }
}

function checkDeviceName(
  findings: Findings,
  device: VolumeDevice,
  volumes: VolumesByName,
  names: Set<string>,
  path: string,
): void {
  const volume = volumes.get(device.name);
  checkRequired(findings, device.name, path);
  if (names.has(device.name)) findings.push(invalid(path, device.name, 'must be unique'));
  if (volume === undefined) {
    findings.push(notFound(path, device.name));
  } else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
    findings.push(
      invalid(
        path,
        device.name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      ),
    );
  }
  if (device.name !== '') names.add(device.name);
}

function checkSubPathExpression(findings: Findings, mount: VolumeMount, at: string, path: string): void {
  const expression = mount.subPathExpr ?? '';
  if (mount.subPath) {
    findings.push(invalid(`${at}.subPathExpr`, expression, 'subPathExpr and subPath are mutually exclusive'));
  }
  checkDescendingPath(findings, expression, `${path}.subPathExpr`);
}

function checkPropagation(findings: Findings, mount: VolumeMount, container: AnyContainer, path: string): void {
  const mode = mount.mountPropagation;
  if (mode === undefined || !checkSupported(findings, mode, propagations, path)) return;
  if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
    findings.push(forbidden(path, 'Bidirectional mount propagation is available only to privileged containers'));
  }
}

function checkRecursiveReadOnly(findings: Findings, mount: VolumeMount, path: string): void {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || !checkSupported(findings, mode, recursiveReadOnlyModes, path)) return;
  if (mode === 'Disabled') return;
  if (mount.readOnly !== true) {
    findings.push(forbidden(path, 'may only be specified when readOnly is true'));
  }
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    findings.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'));
  }
}

import type { CSIDriver, CSINode, CSIStorageCapacity } from '@wherry/api';
import { ageColumn, count, flag, nameColumn, none, text, unset } from '../cells.ts';
import {
  checkImmutable,
  checkLabelSelector,
  checkName,
  checkQualifiedName,
  checkRequired,
  checkSupported,
  notNegative,
} from '../checks.ts';
import { checkCsiDriverName } from '../core/volume-sources.ts';
import { sameValue } from '../equality.ts';
import { duplicate, invalid, required, tooLong } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { isNegativeQuantity } from '../quantities.ts';

const nodeIdLengthMax = 192;
const tokenSecondsMin = 600;

export const csiDriverStrategy = strategyOf<CSIDriver>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    if (spec.attachRequired === undefined) findings.push(required('spec.attachedRequired', ''));
    checkSupported(findings, spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy');
    const audiences = new Set<string>();
    for (const [index, request] of (spec.tokenRequests ?? []).entries()) {
      const at = `spec.tokenRequests[${index}]`;
      if (audiences.has(request.audience)) findings.push(duplicate(`${at}.audience`, request.audience));
      audiences.add(request.audience);
      const seconds = request.expirationSeconds;
      if (seconds !== undefined && seconds < tokenSecondsMin) {
        findings.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
      }
    }
    for (const mode of spec.volumeLifecycleModes ?? []) {
      checkSupported(findings, mode, ['Ephemeral', 'Persistent'], 'spec.volumeLifecycleModes');
    }
  },
  checkUpdate: (findings, next, old) => {
    for (const field of ['attachRequired', 'volumeLifecycleModes'] as const) {
      const path = field === 'attachRequired' ? 'spec.attachedRequired' : 'spec.volumeLifecycleModes';
      checkImmutable(findings, next.spec[field], old.spec[field], path);
    }
  },
  columns: [
    nameColumn,
    flag('AttachRequired', ({ spec }) => spec.attachRequired ?? true),
    flag('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount),
    flag('StorageCapacity', ({ spec }) => spec.storageCapacity),
    text('TokenRequests', ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? unset),
    flag('RequiresRepublish', ({ spec }) => spec.requiresRepublish),
    text('Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || none),
    ageColumn,
  ],
});

export const csiNodeStrategy = strategyOf<CSINode>({
  validateName: asPrefix(dns1123Subdomain),
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    const names = new Set<string>();
    for (const [index, driver] of (spec.drivers ?? []).entries()) {
      const at = `spec.drivers[${index}]`;
      checkCsiDriverName(findings, driver.name, `${at}.name`);
      if (names.has(driver.name)) findings.push(duplicate(`${at}.name`, driver.name));
      names.add(driver.name);
      if (checkRequired(findings, driver.nodeID, `${at}.nodeID`) && driver.nodeID.length > nodeIdLengthMax) {
        findings.push(tooLong(`${at}.nodeID`, driver.nodeID, nodeIdLengthMax));
      }
      const allocatable = driver.allocatable?.count;
      if (allocatable !== undefined && allocatable < 0) {
        findings.push(invalid(`${at}.allocatable.count`, allocatable, notNegative));
      }
      for (const key of driver.topologyKeys ?? []) checkQualifiedName(findings, key, `${at}.topologyKeys`);
    }
  },
  checkUpdate: (findings, next, old) => {
    for (const driver of old.spec.drivers ?? []) {
      const now = (next.spec.drivers ?? []).find(({ name }) => name === driver.name);
      if (now === undefined) continue;
      const { allocatable: _allocatable, ...fixed } = now;
      const { allocatable: _oldAllocatable, ...oldFixed } = driver;
      if (!sameValue(fixed, oldFixed)) findings.push(invalid('spec.drivers', now, 'field is immutable'));
    }
  },
  columns: [nameColumn, count('Drivers', ({ spec }) => (spec.drivers ?? []).length), ageColumn],
});

export const csiStorageCapacityStrategy = strategyOf<CSIStorageCapacity>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, capacity) => {
    checkLabelSelector(findings, capacity.nodeTopology, 'nodeTopology');
    checkName(findings, dns1123Subdomain, capacity.storageClassName, 'storageClassName');
    for (const field of ['capacity', 'maximumVolumeSize'] as const) {
      const quantity = capacity[field];
      if (quantity !== undefined && isNegativeQuantity(quantity)) {
        findings.push(invalid(field, quantity, notNegative));
      }
    }
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.nodeTopology, old.nodeTopology, 'nodeTopology');
    checkImmutable(findings, next.storageClassName, old.storageClassName, 'storageClassName');
  },
  columns: [
    nameColumn,
    text('StorageClassName', (capacity) => capacity.storageClassName),
    text('Capacity', (capacity) => capacity.capacity ?? unset),
  ],
});

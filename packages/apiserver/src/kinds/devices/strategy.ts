// resource.k8s.io: device classes, claims and slices. Validated by schema; claims keep their spec.
import type { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkDnsSubdomain, checkImmutable, checkRequired } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { duplicate, invalid, tooMany } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const reservedMax = 256;
const nameRule = asPrefix(dns1123Subdomain);

export const deviceClassStrategy = strategyOf<DeviceClass>({
  validateName: nameRule,
  generation: true,
  columns: [nameColumn, ageColumn],
});

export const resourceClaimStrategy = strategyOf<ResourceClaim>({
  validateName: nameRule,
  check: (findings, { spec }) => {
    const names = new Set<string>();
    for (const [index, request] of (spec?.devices?.requests ?? []).entries()) {
      const at = `spec.devices.requests[${index}].name`;
      checkRequired(findings, request.name, at);
      if (names.has(request.name)) findings.push(duplicate(at, request.name));
      names.add(request.name);
    }
  },
  checkUpdate: (findings, next, old) => {
    if (!sameValue(next.spec, old.spec)) findings.push(invalid('spec', next.spec, 'field is immutable'));
  },
  checkStatus: (findings, { status }) => {
    const reserved = status?.reservedFor ?? [];
    if (reserved.length > reservedMax) findings.push(tooMany('status.reservedFor', reserved.length, reservedMax));
    for (const [index, consumer] of reserved.entries()) {
      if (reserved.findIndex(({ uid }) => uid === consumer.uid) < index) {
        findings.push(duplicate(`status.reservedFor[${index}].uid`, consumer.uid));
      }
    }
  },
  columns: [nameColumn, text('State', claimState), ageColumn],
});

export const resourceClaimTemplateStrategy = strategyOf<ResourceClaimTemplate>({
  validateName: nameRule,
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec, old.spec, 'spec');
  },
  columns: [nameColumn, ageColumn],
});

export const resourceSliceStrategy = strategyOf<ResourceSlice>({
  validateName: nameRule,
  generation: true,
  check: (findings, { spec }) => {
    if (checkRequired(findings, spec?.driver, 'spec.driver')) {
      checkDnsSubdomain(findings, spec.driver, 'spec.driver');
    }
    checkRequired(findings, spec?.pool?.name, 'spec.pool.name');
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec.driver, old.spec.driver, 'spec.driver');
    checkImmutable(findings, next.spec.pool.name, old.spec.pool.name, 'spec.pool.name');
    checkImmutable(findings, next.spec.nodeName, old.spec.nodeName, 'spec.nodeName');
  },
  fieldSelectors: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.driver': ({ spec }) => spec.driver,
  },
  columns: [
    nameColumn,
    text('Node', ({ spec }) => spec.nodeName ?? ''),
    text('Driver', ({ spec }) => spec.driver),
    text('Pool', ({ spec }) => spec.pool.name),
    ageColumn,
  ],
});

function claimState(claim: ResourceClaim): string {
  const states: string[] = [];
  const isDeleted = claim.metadata?.deletionTimestamp !== undefined;
  if (isDeleted) states.push('deleted');
  if (claim.status?.allocation === undefined) {
    if (!isDeleted) states.push('pending');
  } else {
    states.push('allocated');
    if ((claim.status.reservedFor ?? []).length > 0) states.push('reserved');
  }
  return states.join(',');
}

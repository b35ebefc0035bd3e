// Defaults of device claims. v1 and v1beta2 wrap what v1beta1 writes directly into the request.
import type { DeviceClaim, DeviceToleration, ResourceClaim, ResourceClaimTemplate } from '../generated/types.ts';
import type { Draft } from './draft.ts';

interface Allocation {
  allocationMode?: string;
  count?: number;
  deviceClassName?: string;
  tolerations?: Draft<DeviceToleration>[];
}

type Request = Draft<NonNullable<DeviceClaim['requests']>[number]> & Allocation;

export function defaultResourceClaim(claim: Draft<ResourceClaim>): void {
  defaultDevices(claim.spec?.devices);
}

export function defaultResourceClaimTemplate(template: Draft<ResourceClaimTemplate>): void {
  defaultDevices(template.spec?.spec?.devices);
}

function defaultDevices(devices: Draft<DeviceClaim> | undefined): void {
  for (const request of (devices?.requests ?? []) as Request[]) {
    if (request.exactly !== undefined) defaultAllocation(request.exactly);
    if (request.deviceClassName) defaultAllocation(request);
    for (const sub of request.firstAvailable ?? []) defaultAllocation(sub);
  }
}

function defaultAllocation(allocation: Allocation): void {
  allocation.allocationMode ||= 'ExactCount';
  if (allocation.allocationMode === 'ExactCount') allocation.count ||= 1;
  for (const toleration of allocation.tolerations ?? []) toleration.operator ||= 'Equal';
}

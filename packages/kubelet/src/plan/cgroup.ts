// Requests and limits as the numbers that the kernel's control groups take.
import { type Container, milliValue, type Pod, quantityToNumber } from '@wherry/api';
import { oomScoreAdjust } from './qos.ts';

export interface CgroupNumbers {
  /** Relative weight, 2 … 262144; 1024 is one CPU. */
  readonly cpuShares: number;
  /** Microseconds of CPU in each period; 0 is no limit. */
  readonly cpuQuotaMicros: number;
  readonly cpuPeriodMicros: number;
  /** 0 is no limit. */
  readonly memoryBytes: number;
  readonly oomScoreAdj: number;
}

const PERIOD_MICROS = 100_000;
const QUOTA_MICROS_MIN = 1_000;
const SHARES_MIN = 2;
const SHARES_MAX = 262_144;

/** CPU shares of so many thousandths of a CPU. */
export function cpuShares(millis: number): number {
  if (millis === 0) return SHARES_MIN;
  return Math.min(SHARES_MAX, Math.max(SHARES_MIN, Math.floor((millis * 1024) / 1000)));
}

/** CPU quota for each period; a limit below one millisecond would starve the container for good. */
export function cpuQuotaMicros(millis: number): number {
  if (millis === 0) return 0;
  return Math.max(QUOTA_MICROS_MIN, Math.floor((millis * PERIOD_MICROS) / 1000));
}

function millisOf(quantity: string | undefined): number | undefined {
  return quantity === undefined ? undefined : Number(milliValue(quantity));
}

export function cgroupNumbers(pod: Pod, container: Container, memoryCapacityBytes: number): CgroupNumbers {
  const limits = container.resources?.limits;
  const cpuLimit = millisOf(limits?.['cpu']);
  // Without a request the limit is what was asked for.
  const cpuRequest = millisOf(container.resources?.requests?.['cpu']) ?? cpuLimit ?? 0;
  const memory = limits?.['memory'];
  return {
    cpuShares: cpuShares(cpuRequest),
    cpuQuotaMicros: cpuQuotaMicros(cpuLimit ?? 0),
    cpuPeriodMicros: PERIOD_MICROS,
    memoryBytes: memory === undefined ? 0 : Math.floor(quantityToNumber(memory)),
    oomScoreAdj: oomScoreAdjust(pod, container, memoryCapacityBytes),
  };
}

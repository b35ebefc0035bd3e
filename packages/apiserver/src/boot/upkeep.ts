import { type Clock, type Logger, pause } from '@wherry/daemon';
import type { ServiceAllocation } from '../registry/allocation/service-allocation.ts';
import { isStorageError, type Storage } from '../storage/port.ts';

const REPAIR_EVERY_MS = 180_000;

/** Forgets the store's history up to where it stood one interval ago, as upstream's compactor. */
export async function compactRegularly(
  storage: Storage,
  clock: Clock,
  logger: Logger,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  let before: number | undefined;
  while (await pause(clock, everyMs, signal)) {
    try {
      const now = await storage.currentRevision();
      if (before !== undefined) {
        await storage.compact(before);
      }
      before = now;
    } catch (error) {
      // Another server was faster: that is as good.
      if (!isStorageError(error, 'compacted')) {
        logger.warn({ err: error }, 'compaction failed');
      }
    }
  }
}

/** Looks now and then whether allocations and Services agree. */
export async function repairRegularly(
  allocation: ServiceAllocation,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  do {
    try {
      await allocation.repair();
    } catch (error) {
      logger.warn({ err: error }, 'repair of service allocations failed');
    }
  } while (await pause(clock, REPAIR_EVERY_MS, signal));
}

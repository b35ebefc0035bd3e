import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Random } from '../random/random.ts';

/** The machine's own randomness, fit for secrets. */
export const systemRandom: Random = {
  next: () => randomBytes(4).readUInt32BE() / 0x1_0000_0000,
  integer: (maxExclusive) => (maxExclusive <= 1 ? 0 : randomInt(maxExclusive)),
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
};

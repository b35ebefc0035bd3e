import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Random } from '../random/random.ts';

/** Node's own function ends here; numbers stay exact up to 2^53. */
const RANDOM_INT_MAX = 2 ** 48 - 1;

/** The machine's own randomness, fit for secrets. */
export const systemRandom: Random = {
  next: () => randomBytes(4).readUInt32BE() / 0x1_0000_0000,
  integer: (maxExclusive) => {
    if (maxExclusive <= 1) return 0;
    if (maxExclusive <= RANDOM_INT_MAX) return randomInt(maxExclusive);
    return Number(randomBytes(8).readBigUInt64BE() % BigInt(maxExclusive));
  },
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
};

/** Where a component gets its randomness; injected so that a seed reproduces a run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, maxExclusive). */
  integer(maxExclusive: number): number;
  /** Random (version 4) UUID. */
  uuid(): string;
  /** `count` random bytes; unpredictable only from `systemRandom`. */
  bytes(count: number): Uint8Array;
}

/** Upstream's alphabet for generated names: no vowels, no look-alikes, so no words come out. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix for generated names, as `generateName` makes it. */
export function randomSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += NAME_ALPHABET[random.integer(NAME_ALPHABET.length)];
  return suffix;
}

/** A duration between `baseMs` and `baseMs * (1 + factor)`. */
export function jitter(random: Random, baseMs: number, factor: number): number {
  return baseMs * (1 + random.next() * factor);
}

/** A reproducible generator (mulberry32) for tests and simulations. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
  return {
    next,
    integer: (maxExclusive) => Math.floor(next() * maxExclusive),
    uuid: () => formatUuid(bytes(16)),
    bytes,
  };
}

function formatUuid(bytes: Uint8Array): string {
  const fixed = Uint8Array.from(bytes);
  fixed[6] = ((fixed[6] ?? 0) & 0x0f) | 0x40;
  fixed[8] = ((fixed[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(fixed, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// Labels and taints as flags give them.
import type { Taint } from '@wherry/api';

const effects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** @param flags each `key=value` */
export function parseLabels(flags: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(flags.map((label) => label.split('=', 2)).map(([key = '', value = '']) => [key, value]));
}

/** @param flag `key=value:effect` or `key:effect` @throws Error when it is neither */
export function parseTaint(flag: string): Taint {
  const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(flag) ?? [];
  if (key === '' || !effects.includes(effect)) {
    throw new Error(
      `Cannot read taint "${flag}": write key=value:effect, with one of the effects ${effects.join(', ')}`,
    );
  }
  return { key, ...(value !== undefined && value !== '' && { value }), effect };
}

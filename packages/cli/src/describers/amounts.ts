import { addQuantities, type Container, type Pod, parseQuantity } from '@wherry/api';

export type Amounts = Readonly<Record<string, string>>;

export function amountText(amount: string | undefined): string {
  return amount ?? '0';
}

/** `250m (12%)`: an amount, and its part of what there is. */
export function shareText(amount: string | undefined, allocatable: string | undefined): string {
  const whole = allocatable === undefined ? 0n : parseQuantity(allocatable).nano;
  const percent = whole === 0n ? 0n : (parseQuantity(amount ?? '0').nano * 100n) / whole;
  return `${amountText(amount)} (${percent}%)`;
}

export function sumOf(lists: readonly Amounts[]): Amounts {
  const sum: Record<string, string> = {};
  for (const list of lists) {
    for (const [name, amount] of Object.entries(list)) sum[name] = addQuantities(sum[name] ?? '0', amount);
  }
  return sum;
}

/**
 * What a pod asks for, in the units it was written in: its containers together, or an init container's when that is
 * more, and its overhead. Init containers that go on running count with the containers.
 */
export function podAmounts({ spec }: Pod, which: 'requests' | 'limits'): Amounts {
  const amountsOf = ({ resources }: Container): Amounts => resources?.[which] ?? {};
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';
  const initial = spec?.initContainers ?? [];
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const container of initial) {
    if (isSidecar(container)) sidecars = sumOf([sidecars, amountsOf(container)]);
    peak = largerOf(peak, isSidecar(container) ? sidecars : sumOf([sidecars, amountsOf(container)]));
  }
  const running = sumOf([sidecars, ...(spec?.containers ?? []).map(amountsOf)]);
  const total = largerOf(running, peak);
  return Object.keys(total).length === 0 && which === 'limits' ? total : sumOf([total, spec?.overhead ?? {}]);
}

function largerOf(a: Amounts, b: Amounts): Amounts {
  const larger: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const before = larger[name];
    if (before === undefined || parseQuantity(before).nano < parseQuantity(amount).nano) larger[name] = amount;
  }
  return larger;
}

import type { Contribution, Element } from './contribution.ts';
import { skeleton, TABLE, type TableOptions } from './skeleton.ts';

const ELEMENTS_PER_COMMAND = 500;

/** Hairpins of pods that are endpoints no more; beyond this many they all go at once. */
const HAIRPINS_KEPT_MAX = 16_384;

/** The owner of what stays until the table is made anew, although no service needs it; no service has this key. */
const KEPT = '';

/**
 * The wanted content of our nftables table as a value that changes in place, one rule's contribution at a time,
 * and remembers what nftables must be told. What several rules need (a shared chain, a pod's hairpin) is counted.
 */
export class RuleTable {
  readonly #options: TableOptions;
  readonly #elements = new Claims<Element>((element) => element.data);
  readonly #chains = new Claims<readonly string[]>((rules) => rules.join('\n'));
  readonly #sets = new Claims<string>((declaration) => declaration);
  readonly #owners = new Map<string, Contribution>();
  readonly #keptHairpins = new Set<string>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  contribution(owner: string): Contribution | undefined {
    return this.#owners.get(owner);
  }

  /** Puts `next` in the place of what `owner` contributed before; undefined takes it away. */
  replace(owner: string, next: Contribution | undefined): void {
    const previous = this.#owners.get(owner);
    // New claims first: what both contain is never seen as gone.
    const elements = new Map((next?.elements ?? []).map((element) => [elementId(element), element]));
    for (const [id, element] of elements) {
      this.#elements.claim(id, owner, element);
      if (element.set === 'hairpins') this.#keepHairpin(id, element);
    }
    for (const [name, rules] of next?.chains ?? []) {
      this.#chains.claim(name, owner, rules);
      if (next?.keptChains.has(name) === true) this.#chains.claim(name, KEPT, rules);
    }
    for (const [name, declaration] of next?.sets ?? []) this.#sets.claim(name, owner, declaration);
    for (const element of previous?.elements ?? []) {
      const id = elementId(element);
      if (!elements.has(id)) this.#elements.release(id, owner);
    }
    for (const name of previous?.chains.keys() ?? []) {
      if (next?.chains.has(name) !== true) this.#chains.release(name, owner);
    }
    for (const name of previous?.sets.keys() ?? []) {
      if (next?.sets.has(name) !== true) this.#sets.release(name, owner);
    }
    if (next === undefined) this.#owners.delete(owner);
    else this.#owners.set(owner, next);
  }

  /**
   * A packet that was sent to a pod just before a commit is masqueraded just after it, so the pod's hairpin must not
   * go with its endpoint: the pod would drop a packet that seems to come from itself. Left behind it does no harm,
   * since nothing but a pod's packets to itself ever matches it.
   */
  #keepHairpin(id: string, element: Element): void {
    this.#elements.claim(id, KEPT, element);
    this.#keptHairpins.add(id);
    if (this.#keptHairpins.size <= HAIRPINS_KEPT_MAX) return;
    for (const kept of this.#keptHairpins) this.#elements.release(kept, KEPT);
    this.#keptHairpins.clear();
  }

  /**
   * The nft commands, one atomic transaction, from the state at the last take to the present one. Definitions come
   * before what refers to them and go after it.
   */
  takeChanges(): readonly string[] {
    const t = `ip ${TABLE}`;
    const chains = this.#chains.take();
    const sets = this.#sets.take();
    const elements = this.#elements.take();
    const newChains = chains.filter((change) => change.before === undefined);
    const setChains = chains.filter((change) => change.after !== undefined);
    const goneChains = chains.filter((change) => change.after === undefined);
    return [
      ...sets.flatMap(({ id, after }) => (after === undefined ? [] : [`add set ${t} ${id} ${after}`])),
      ...newChains.map(({ id }) => `add chain ${t} ${id}`),
      ...setChains.flatMap(({ id, before, after }) => [
        ...(before === undefined ? [] : [`flush chain ${t} ${id}`]),
        ...(after ?? []).map((rule) => `add rule ${t} ${id} ${rule}`),
      ]),
      ...elements.flatMap(({ before }) =>
        before === undefined ? [] : [`delete element ${t} ${before.set} { ${before.key} }`],
      ),
      ...elements.flatMap(({ after }) => (after === undefined ? [] : [addElement(t, after)])),
      ...goneChains.map(({ id }) => `flush chain ${t} ${id}`),
      ...goneChains.map(({ id }) => `delete chain ${t} ${id}`),
      ...sets.flatMap(({ id, after }) => (after === undefined ? [`delete set ${t} ${id}`] : [])),
    ];
  }

  /** The commands that replace the table, whatever it holds, by the wanted one in one transaction. */
  takeEverything(): readonly string[] {
    this.#chains.take();
    this.#sets.take();
    this.#elements.take();
    const t = `ip ${TABLE}`;
    return [
      ...removeTable(),
      `add table ${t}`,
      ...skeleton(this.#options),
      ...[...this.#sets.entries()].map(([id, declaration]) => `add set ${t} ${id} ${declaration}`),
      ...[...this.#chains.entries()].map(([id]) => `add chain ${t} ${id}`),
      ...[...this.#chains.entries()].flatMap(([id, rules]) => rules.map((rule) => `add rule ${t} ${id} ${rule}`)),
      ...addElements(
        t,
        [...this.#elements.entries()].map(([, element]) => element),
      ),
    ];
  }

  /** How many elements and chains services have in the table, for metrics. */
  get size(): { readonly elements: number; readonly chains: number } {
    return { elements: this.#elements.size, chains: this.#chains.size };
  }
}

/** Adding first makes removal succeed where there is no table. */
export function removeTable(): readonly string[] {
  return [`add table ip ${TABLE}`, `delete table ip ${TABLE}`];
}

function elementId(element: Element): string {
  return `${element.set} ${element.key}`;
}

function addElement(table: string, element: Element): string {
  return `add element ${table} ${element.set} { ${elementText(element)} }`;
}

/** The same for many at once: nft reads one long command faster than many short ones. */
function addElements(table: string, elements: readonly Element[]): readonly string[] {
  const commands: string[] = [];
  for (const [set, members] of Map.groupBy(elements, (element) => element.set)) {
    for (let first = 0; first < members.length; first += ELEMENTS_PER_COMMAND) {
      const texts = members.slice(first, first + ELEMENTS_PER_COMMAND).map(elementText);
      commands.push(`add element ${table} ${set} { ${texts.join(', ')} }`);
    }
  }
  return commands;
}

function elementText(element: Element): string {
  return element.data === '' ? element.key : `${element.key} : ${element.data}`;
}

interface ClaimChange<T> {
  readonly id: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** Values by name, each held by one or more owners; the first owner by name decides while they disagree. */
class Claims<T> {
  readonly #sameAs: (value: T) => string;
  readonly #claims = new Map<string, Map<string, T>>();
  /** What each name touched since the last take was then. */
  readonly #touched = new Map<string, T | undefined>();

  constructor(identity: (value: T) => string) {
    this.#sameAs = identity;
  }

  claim(id: string, owner: string, value: T): void {
    const owners = this.#claims.get(id);
    if (owners?.has(owner) === true && this.#sameAs(owners.get(owner) as T) === this.#sameAs(value)) return;
    this.#touch(id);
    if (owners === undefined) this.#claims.set(id, new Map([[owner, value]]));
    else owners.set(owner, value);
  }

  release(id: string, owner: string): void {
    this.#touch(id);
    const owners = this.#claims.get(id);
    owners?.delete(owner);
    if (owners?.size === 0) this.#claims.delete(id);
  }

  take(): readonly ClaimChange<T>[] {
    const changes: ClaimChange<T>[] = [];
    for (const [id, before] of this.#touched) {
      const after = this.#value(id);
      if (before !== undefined && after !== undefined && this.#sameAs(before) === this.#sameAs(after)) continue;
      if (before !== undefined || after !== undefined) changes.push({ id, before, after });
    }
    this.#touched.clear();
    return changes;
  }

  *entries(): Generator<readonly [string, T]> {
    for (const id of this.#claims.keys()) {
      const value = this.#value(id);
      if (value !== undefined) yield [id, value];
    }
  }

  get size(): number {
    return this.#claims.size;
  }

  #touch(id: string): void {
    if (!this.#touched.has(id)) this.#touched.set(id, this.#value(id));
  }

  #value(id: string): T | undefined {
    const owners = this.#claims.get(id);
    if (owners === undefined) return undefined;
    if (owners.size === 1) return owners.values().next().value;
    const first = [...owners.keys()].sort()[0];
    return first === undefined ? undefined : owners.get(first);
  }
}

// One step of a path: a field (`f:name`), an element of a list by its keys (`k:{"name":"a"}`), by its value
// (`v:"a"`) or by its position (`i:0`). Sets keep steps in the form in which fieldsV1 has them.

/** Stands for the node itself among its children. */
export const self = '.';

type Scalar = string | number | boolean | null;

/** Parsed steps that order depends on; bounded, for clients may invent any number of keys. */
const PARSED_MAX = 20_000;
const parsed = new Map<string, readonly (readonly [string, unknown])[]>();

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** @param pairs sorted by name */
export function keyElement(pairs: readonly (readonly [string, unknown])[]): string {
  let text = 'k:{';
  for (let at = 0; at < pairs.length; at += 1) {
    const [name, value] = pairs[at] as readonly [string, unknown];
    text += `${at === 0 ? '' : ','}${goJson(name)}:${goJson(value)}`;
  }
  return `${text}}`;
}

export function valueElement(value: unknown): string {
  return `v:${goJson(value)}`;
}

/** JSON as Go's encoder writes it: what could end a script element is escaped. */
function goJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return /[<>&\u2028\u2029]/.test(text)
    ? text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text;
}

/** Whether upstream reads this step; steps of kinds it does not know are dropped. @throws for a malformed one */
export function isKnownElement(element: string): boolean {
  if (element.length < 2) throw new Error('key must be 2 characters long:');
  if (element[1] !== ':') throw new Error(`missing colon: ${element}`);
  switch (element[0]) {
    case 'f':
      return true;
    case 'k':
    case 'v':
      pairsOf(element);
      return true;
    case 'i':
      if (!/^-?\d+$/.test(element.slice(2))) throw new Error(`invalid index: ${element}`);
      return true;
    default:
      return false;
  }
}

/** The step in the one form that sets hold: keys sorted by name. */
export function canonicalElement(element: string): string {
  switch (element[0]) {
    case 'k':
      return keyElement(pairsOf(element));
    case 'v':
      return valueElement(pairsOf(element)[0]?.[1]);
    default:
      return element;
  }
}

/** The keys of a `k:` step, sorted by name, or the value of a `v:` step under the name ''. */
function pairsOf(element: string): readonly (readonly [string, unknown])[] {
  let pairs = parsed.get(element);
  if (pairs === undefined) {
    const value: unknown = JSON.parse(element.slice(2));
    pairs =
      element[0] === 'v'
        ? [['', value]]
        : Object.entries(value as Record<string, unknown>).sort(([left], [right]) => compareText(left, right));
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(element, pairs);
  }
  return pairs;
}

/** Upstream's order: fields, keys, values, positions; each kind by what it holds. The node itself comes first. */
export function compareElements(left: string, right: string): number {
  if (left === right) return 0;
  const difference = rank(left) - rank(right);
  if (difference !== 0) return difference;
  switch (left[0]) {
    case 'k':
    case 'v':
      return comparePairs(pairsOf(left), pairsOf(right));
    case 'i':
      return Number(left.slice(2)) - Number(right.slice(2));
    default:
      return compareText(left, right);
  }
}

function rank(element: string): number {
  switch (element[0]) {
    case 'f':
      return 1;
    case 'k':
      return 2;
    case 'v':
      return 3;
    case 'i':
      return 4;
    default:
      return 0;
  }
}

function comparePairs(
  left: readonly (readonly [string, unknown])[],
  right: readonly (readonly [string, unknown])[],
): number {
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const [leftName, leftValue] = left[at] as readonly [string, unknown];
    const [rightName, rightValue] = right[at] as readonly [string, unknown];
    const difference = compareText(leftName, rightName) || compareScalars(leftValue as Scalar, rightValue as Scalar);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareScalars(left: Scalar, right: Scalar): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  return scalarRank(left) - scalarRank(right);
}

function scalarRank(value: unknown): number {
  const order = ['number', 'string', 'boolean'].indexOf(typeof value);
  return order === -1 ? 3 : order;
}

/** The order of the texts' UTF-8 bytes, in which Go compares. It differs from ours only beyond the basic plane. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const one = left.charCodeAt(at);
    const other = right.charCodeAt(at);
    if (one !== other) return isSurrogate(one) !== isSurrogate(other) ? (isSurrogate(one) ? 1 : -1) : one - other;
  }
  return left.length - right.length;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** How people are shown a path: `.spec.containers[name="a"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

export function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k':
      return `[${pairsOf(element)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${JSON.stringify(pairsOf(element)[0]?.[1])}]`;
    default:
      return `[${rest}]`;
  }
}

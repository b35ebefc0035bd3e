// Finds keys that a JSON text repeats in one object, which JSON.parse does not tell.

const problemsMax = 100;

interface Level {
  /** Keys seen, as written between the quotes; undefined for lists. */
  readonly keys: Set<string> | undefined;
  /** Those already reported; made when the first is. */
  reported: Set<string> | undefined;
  /** Key or position at hand. */
  step: string | number;
}

const quoteCode = 0x22;
const backslashCode = 0x5c;
const commaCode = 0x2c;
const openObjectCode = 0x7b;
const closeObjectCode = 0x7d;
const openListCode = 0x5b;
const closeListCode = 0x5d;

/**
 * Scans by character code, for it runs on every strictly validated body.
 * @param text JSON that parses
 * @returns `duplicate field "spec.replicas"` for each, in the order of the text
 */
export function duplicateFieldProblems(text: string): string[] {
  const problems: string[] = [];
  const levels: Level[] = [];
  let level: Level | undefined;
  let expectKey = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quoteCode: {
        const end = endOfString(text, at + 1);
        if (expectKey && level?.keys !== undefined) {
          noteKey(level, level.keys, text.slice(at + 1, end), levels, problems);
          expectKey = false;
        }
        at = end;
        break;
      }
      case openObjectCode:
        level = { keys: new Set(), reported: undefined, step: '' };
        levels.push(level);
        expectKey = true;
        break;
      case openListCode:
        level = { keys: undefined, reported: undefined, step: 0 };
        levels.push(level);
        break;
      case closeObjectCode:
      case closeListCode:
        levels.pop();
        level = levels.at(-1);
        expectKey = false;
        break;
      case commaCode:
        if (level !== undefined && typeof level.step === 'number') level.step += 1;
        expectKey = level?.keys !== undefined;
        break;
    }
    if (problems.length >= problemsMax) break;
  }
  return problems;
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quoteCode) return at;
    if (code === backslashCode) at += 1;
  }
  return text.length;
}

function noteKey(level: Level, keys: Set<string>, raw: string, levels: readonly Level[], problems: string[]): void {
  const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  level.step = key;
  if (!keys.has(key)) {
    keys.add(key);
  } else if (level.reported?.has(key) !== true) {
    level.reported = (level.reported ?? new Set()).add(key);
    problems.push(`duplicate field "${pathOf(levels)}"`);
  }
}

function pathOf(levels: readonly Level[]): string {
  return levels.reduce((path, { step }) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

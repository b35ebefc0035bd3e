import { sameQuantity } from './quantities.ts';

/**
 * Equality as the API understands it: absent, null and an empty list are the same, quantities compare by amount,
 * and fields that Go keeps by value (so that a zero cannot be told from "not set") treat their zero as absent.
 * That is what decides whether an update changed an immutable field.
 */
export function sameValue(left: unknown, right: unknown, field = ''): boolean {
  if (left === right) return true;
  if (isAbsent(left, field)) return isAbsent(right, field);
  if (isAbsent(right, field)) return false;
  if (typeof left === 'string' && typeof right === 'string') {
    return quantityFields.has(field) && sameQuantity(left, right);
  }
  if (Array.isArray(left)) return Array.isArray(right) && sameList(left, right, field);
  if (isRecord(left) && isRecord(right)) return sameRecord(left, right, field);
  return false;
}

/** One line per changed leaf, `path: old -> new`; for messages that must say what may not change. */
export function describeDifference(left: unknown, right: unknown, linesMax = 20): string {
  const lines: string[] = [];
  collectDifference(left, right, '', '', lines);
  const shown = lines.slice(0, linesMax);
  if (lines.length > linesMax) shown.push(`(and ${lines.length - linesMax} more)`);
  return shown.join('\n');
}

/** The keys under which values are quantities, directly or as a map from resource name. */
const quantityFields = new Set(['limits', 'requests', 'capacity', 'hard', 'overhead', 'sizeLimit', 'divisor']);

/** Struct or scalar fields without a pointer in upstream's types: their zero value means "not set". */
const zeroIsAbsent = new Set([
  'resources',
  'labels',
  'annotations',
  'nodeSelector',
  'limits',
  'requests',
  'matchLabels',
  'parameters',
  'metadata',
  'strategy',
  'updateStrategy',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'hostname',
  'subdomain',
  'nodeName',
  'priorityClassName',
  'schedulerName',
  'stdin',
  'stdinOnce',
  'tty',
  'readOnly',
  'subPath',
  'subPathExpr',
  'workingDir',
  'value',
  'prefix',
  'initialDelaySeconds',
  'hostPort',
  'hostIP',
  'minReadySeconds',
  'volumeName',
  'paused',
]);

function isAbsent(value: unknown, field: string): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (value === '' || value === false || value === 0) return zeroIsAbsent.has(field);
  return typeof value === 'object' && zeroIsAbsent.has(field) && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sameList(left: readonly unknown[], right: readonly unknown[], field: string): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) {
    if (!sameValue(left[i], right[i], field)) return false;
  }
  return true;
}

function sameRecord(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
  field: string,
): boolean {
  // Entries of a quantity map are quantities whatever their key is called.
  const inherit = quantityFields.has(field);
  for (const key in left) {
    if (!sameValue(left[key], right[key], inherit ? field : key)) return false;
  }
  for (const key in right) {
    if (!(key in left) && !isAbsent(right[key], inherit ? field : key)) return false;
  }
  return true;
}

function collectDifference(left: unknown, right: unknown, field: string, path: string, lines: string[]): void {
  if (sameValue(left, right, field)) return;
  if (isRecord(left) && isRecord(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    for (const key of keys) collectDifference(left[key], right[key], key, path === '' ? key : `${path}.${key}`, lines);
    return;
  }
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    for (let i = 0; i < left.length; i++) collectDifference(left[i], right[i], field, `${path}[${i}]`, lines);
    return;
  }
  lines.push(`${path === '' ? '(value)' : path}: ${show(left)} -> ${show(right)}`);
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

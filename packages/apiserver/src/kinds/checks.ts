// Checks that many kinds share. Each appends what it finds; none changes or copies what it reads.
import { type LabelSelector, labelSelectorErrors } from '@wherry/api';
import { sameValue } from './equality.ts';
import { type Findings, invalid, notSupported, required, tooLong } from './findings.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  type NameRule,
  percent,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts';

export type StringMap = Readonly<Record<string, string>>;

export const annotationsSizeBytesMax = 256 * 1024;
export const notNegative = 'must be greater than or equal to 0';
export const notPositive = 'must be greater than zero';
export const fieldIsImmutable = 'field is immutable';

/** One finding per message of `rule`. */
export function checkName(findings: Findings, rule: NameRule, value: string, path: string): boolean {
  const messages = rule(value);
  for (const message of messages) findings.push(invalid(path, value, message));
  return messages.length === 0;
}

export function checkDnsLabel(findings: Findings, value: string, path: string): boolean {
  return checkName(findings, dns1123Label, value, path);
}

export function checkDnsSubdomain(findings: Findings, value: string, path: string): boolean {
  return checkName(findings, dns1123Subdomain, value, path);
}

export function checkQualifiedName(findings: Findings, value: string, path: string): boolean {
  return checkName(findings, qualifiedName, value, path);
}

export function checkRequired(findings: Findings, value: string | undefined, path: string, detail = ''): boolean {
  if (value !== undefined && value !== '') return true;
  findings.push(required(path, detail));
  return false;
}

/** Absent and '' are `required`, anything outside `allowed` is not supported. */
export function checkOneOf(
  findings: Findings,
  value: string | undefined,
  allowed: readonly string[],
  path: string,
): boolean {
  if (!checkRequired(findings, value, path)) return false;
  return checkSupported(findings, value, allowed, path);
}

/** As {@link checkOneOf}, for optional fields. */
export function checkSupported(
  findings: Findings,
  value: string | undefined,
  allowed: readonly string[],
  path: string,
): boolean {
  if (value === undefined || allowed.includes(value)) return true;
  findings.push(notSupported(path, value, allowed));
  return false;
}

export function checkNonNegative(findings: Findings, value: number | undefined, path: string): boolean {
  if (value === undefined || value >= 0) return true;
  findings.push(invalid(path, value, notNegative));
  return false;
}

export function inclusiveRange(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

export function checkRange(
  findings: Findings,
  value: number | undefined,
  low: number,
  high: number,
  path: string,
): boolean {
  if (value === undefined || (value >= low && value <= high)) return true;
  findings.push(invalid(path, value, inclusiveRange(low, high)));
  return false;
}

/** `field` is the field's own name where it decides how values compare (a quantity, a zero that means absent). */
export function checkImmutable(findings: Findings, next: unknown, old: unknown, path: string): boolean {
  const field = path.slice(path.lastIndexOf('.') + 1);
  if (sameValue(next, old, field)) return true;
  findings.push(invalid(path, next, fieldIsImmutable));
  return false;
}

export function checkPortNumber(findings: Findings, port: number, path: string): boolean {
  const messages = portNumber(port);
  for (const message of messages) findings.push(invalid(path, port, message));
  return messages.length === 0;
}

export function checkPortNumberOrName(findings: Findings, port: number | string | undefined, path: string): boolean {
  if (typeof port === 'string') return checkName(findings, portName, port, path);
  return checkPortNumber(findings, port ?? 0, path);
}

export function checkLabelName(findings: Findings, name: string, path: string): boolean {
  return checkName(findings, qualifiedName, name, path);
}

export function checkLabels(findings: Findings, labels: StringMap | undefined, path: string): void {
  for (const key in labels) {
    checkLabelName(findings, key, path);
    checkName(findings, labelValue, labels[key] ?? '', path);
  }
}

export function checkAnnotations(findings: Findings, annotations: StringMap | undefined, path: string): void {
  let sizeBytes = 0;
  for (const key in annotations) {
    for (const message of qualifiedName(key.toLowerCase())) findings.push(invalid(path, key, message));
    sizeBytes += key.length + (annotations[key] ?? '').length;
  }
  if (sizeBytes > annotationsSizeBytesMax) findings.push(tooLong(path, '', annotationsSizeBytesMax));
}

export function checkLabelSelector(findings: Findings, selector: LabelSelector | undefined, path: string): void {
  if (selector !== undefined) findings.push(...labelSelectorErrors(selector, path));
}

/** Upstream's selectors with neither labels nor expressions match everything, which most controllers refuse. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

/** A count, or a percentage as "50%". */
export function checkCountOrPercent(findings: Findings, value: number | string | undefined, path: string): boolean {
  if (value === undefined) return true;
  if (typeof value === 'string') return checkName(findings, percent, value, path);
  return checkNonNegative(findings, value, path);
}

export function checkAtMostAllPercent(findings: Findings, value: number | string | undefined, path: string): void {
  if (typeof value !== 'string' || percent(value).length > 0) return;
  if (Number.parseInt(value, 10) > 100) findings.push(invalid(path, value, 'must not be greater than 100%'));
}

/** The number in front of '%', or the count itself; 0 for what is neither. */
export function countOrPercentNumber(value: number | string | undefined): number {
  if (typeof value === 'number') return value;
  return value === undefined || percent(value).length > 0 ? 0 : Number.parseInt(value, 10);
}

/** Status counters of a controller may only grow where they record collisions. */
export function checkNotDecremented(
  findings: Findings,
  next: number | undefined,
  old: number | undefined,
  path: string,
): void {
  const decremented = old !== undefined && (next === undefined || next < old);
  if (decremented) findings.push(invalid(path, next ?? 0, 'cannot be decremented'));
}

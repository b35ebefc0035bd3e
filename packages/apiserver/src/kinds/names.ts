// Name rules by their short names, and those that only the API server's kinds need.
import {
  configMapKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  envVarNameProblems,
  labelValueProblems,
  pathSegmentProblems,
  percentProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from '@wherry/api';

/** What is wrong with a name, one message each; none when it is good. */
export type NameRule = (value: string) => readonly string[];

export const portNumber: (value: number) => readonly string[] = portNumberProblems;
export const configMapKey = remembered(configMapKeyProblems);
export const dns1035Label = remembered(dns1035LabelProblems);
export const dns1123Label = remembered(dns1123LabelProblems);
export const dns1123Subdomain = remembered(dns1123SubdomainProblems);
export const envVarName = remembered(envVarNameProblems);
export const labelValue = remembered(labelValueProblems);
export const pathSegment: NameRule = pathSegmentProblems;
export const percent: NameRule = percentProblems;
export const portName = remembered(portNameProblems);
export const qualifiedName = remembered(qualifiedNameProblems);

const httpHeaderPattern = '[-A-Za-z0-9]+';
const httpHeader = new RegExp(`^${httpHeaderPattern}$`);

export function httpHeaderName(value: string): readonly string[] {
  if (httpHeader.test(value)) return good;
  return [
    `a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '${httpHeaderPattern}')`,
  ];
}

const wildcardPattern = '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const wildcard = new RegExp(`^${wildcardPattern}$`);

export function wildcardSubdomain(value: string): readonly string[] {
  const messages = value.length > 253 ? ['must be no more than 253 bytes'] : [];
  if (wildcard.test(value)) return messages;
  return [
    ...messages,
    `a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '${wildcardPattern}')`,
  ];
}

/** `value` as the beginning of generated names: a trailing hyphen is fine, the suffix follows it. */
export function asPrefix(rule: NameRule): (value: string, isPrefix: boolean) => readonly string[] {
  return (value, isPrefix) => rule(isPrefix && value.endsWith('-') ? `${value.slice(0, -1)}a` : value);
}

const good: readonly string[] = [];
const rememberedMax = 4096;

/**
 * Names repeat endlessly (the same labels, ports and containers in every pod of a workload), and the rules are
 * regular expressions: good names are remembered, bad ones are looked at again. Full sets are emptied.
 */
function remembered(rule: NameRule): NameRule {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return good;
    const messages = rule(value);
    if (messages.length > 0) return messages;
    if (known.size >= rememberedMax) known.clear();
    if (value.length <= 64) known.add(value);
    return good;
  };
}

// Rules for names, label keys and values, ports. Every function returns the problems found, in upstream's words; none if valid.

const dns1123LabelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dns1123SubdomainPattern = `${dns1123LabelPattern}(\\.${dns1123LabelPattern})*`;
const dns1035LabelPattern = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedNamePattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValuePattern = `(${qualifiedNamePattern})?`;
const envVarNamePattern = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configMapKeyPattern = '[-._a-zA-Z0-9]+';
const percentPattern = '[0-9]+%';

const dns1123Label = whole(dns1123LabelPattern);
const dns1123Subdomain = whole(dns1123SubdomainPattern);
const dns1035Label = whole(dns1035LabelPattern);
const qualifiedName = whole(qualifiedNamePattern);
const labelValue = whole(labelValuePattern);
const envVarName = whole(envVarNamePattern);
const configMapKey = whole(configMapKeyPattern);
const percent = whole(percentPattern);

const qualifiedNameText =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedNameExamples = ['MyName', 'my.name', '123-abc'];

export function dns1123LabelProblems(value: string): string[] {
  const problems = value.length > 63 ? [lengthText(63)] : [];
  if (dns1123Label.test(value)) return problems;
  if (dns1123Subdomain.test(value)) return [...problems, 'must not contain dots'];
  const text =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, patternText(text, dns1123LabelPattern, ['my-name', '123-abc'])];
}

export function dns1123SubdomainProblems(value: string): string[] {
  const problems = value.length > 253 ? [lengthText(253)] : [];
  if (dns1123Subdomain.test(value)) return problems;
  const text =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, patternText(text, dns1123SubdomainPattern, ['example.com'])];
}

/** The rule for names of Services. */
export function dns1035LabelProblems(value: string): string[] {
  const problems = value.length > 63 ? [lengthText(63)] : [];
  if (dns1035Label.test(value)) return problems;
  const text =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, patternText(text, dns1035LabelPattern, ['my-name', 'abc-123'])];
}

/** The rule for label and annotation keys, resource names and finalizers: `name` or `dns.subdomain/name`. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  const problems: string[] = [];
  if (parts.length > 2) {
    const text = patternText(qualifiedNameText, qualifiedNamePattern, qualifiedNameExamples);
    return [`a qualified name ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...dns1123SubdomainProblems(prefix).map((text) => `prefix part ${text}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${lengthText(63)}`);
  if (!qualifiedName.test(name)) {
    problems.push(`name part ${patternText(qualifiedNameText, qualifiedNamePattern, qualifiedNameExamples)}`);
  }
  return problems;
}

export function labelValueProblems(value: string): string[] {
  const problems = value.length > 63 ? [lengthText(63)] : [];
  if (labelValue.test(value)) return problems;
  const text =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...problems, patternText(text, labelValuePattern, ['MyValue', 'my_value', '12345'])];
}

/** Names of most kinds that become a path segment in URLs (RBAC roles may contain what other names may not). */
export function pathSegmentProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((text) => value.includes(text)).map((text) => `may not contain '${text}'`);
}

/** The name of a port: IANA_SVC_NAME. */
export function portNameProblems(value: string): string[] {
  const problems = value.length > 15 ? [lengthText(15)] : [];
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function portNumberProblems(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65_535 ? [] : [rangeText(1, 65_535)];
}

/** Environment variable names may be any printable ASCII without `=` (KEP-4369). */
export function envVarNameProblems(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** The older, stricter rule that `envFrom` keys are still measured by. */
export function cIdentifierEnvVarProblems(value: string): string[] {
  if (envVarName.test(value)) return dotProblems(value);
  const text =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  return [patternText(text, envVarNamePattern, ['my.env-name', 'MY_ENV.NAME', 'MyEnvName1']), ...dotProblems(value)];
}

/** Keys of the data of ConfigMaps and Secrets. */
export function configMapKeyProblems(value: string): string[] {
  const problems = value.length > 253 ? [lengthText(253)] : [];
  if (!configMapKey.test(value)) {
    const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(patternText(text, configMapKeyPattern, ['key.name', 'KEY_NAME', 'key-name']));
  }
  return [...problems, ...dotProblems(value)];
}

export function percentProblems(value: string): string[] {
  if (percent.test(value)) return [];
  return [
    patternText("a valid percent string must be a numeric string followed by an ending '%'", percentPattern, [
      '1%',
      '93%',
    ]),
  ];
}

function dotProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`must not be '${value}'`];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

function lengthText(max: number): string {
  return `must be no more than ${max} bytes`;
}

function rangeText(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

function patternText(text: string, pattern: string, examples: readonly string[]): string {
  return `${text} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`;
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

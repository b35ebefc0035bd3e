// Prints the protobuf field numbers of all kinds as one compact text. Run by hand when upstream's API changes:
//   node packages/apiserver/generate/protobuf.ts <fields.json extracted from upstream's .proto files>
import { readFileSync, writeFileSync } from 'node:fs';

interface SourceField {
  readonly n: number;
  readonly t: string;
  readonly repeated?: 1;
  readonly pointer?: 1;
  readonly omitempty?: 1;
  readonly omitzero?: 1;
  readonly inline?: 1;
  readonly json?: string;
}
type Source = Readonly<Record<string, Readonly<Record<string, SourceField>>>>;

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';

const EXTENSIONS = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions';

/** Messages whose JSON is not an object of their fields, with their type letter. */
const special: Readonly<Record<string, string>> = {
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'q',
  [`${META}.Time`]: 't',
  [`${META}.MicroTime`]: 'm',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'x',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'r',
  [`${META}.FieldsV1`]: 'r',
  [`${EXTENSIONS}.v1.JSON`]: 'r',
  [`${EXTENSIONS}.v1beta1.JSON`]: 'r',
  [`${EXTENSIONS}.v1.JSONSchemaPropsOrArray`]: 'A',
  [`${EXTENSIONS}.v1beta1.JSONSchemaPropsOrArray`]: 'A',
  [`${EXTENSIONS}.v1.JSONSchemaPropsOrBool`]: 'B',
  [`${EXTENSIONS}.v1beta1.JSONSchemaPropsOrBool`]: 'B',
  [`${EXTENSIONS}.v1.JSONSchemaPropsOrStringArray`]: 'S',
  [`${EXTENSIONS}.v1beta1.JSONSchemaPropsOrStringArray`]: 'S',
};

const scalars: Readonly<Record<string, string>> = {
  string: 's',
  bool: 'b',
  int32: 'i',
  int64: 'i',
  double: 'd',
  bytes: 'y',
};

function packageOf(message: string): string {
  return message.slice(0, message.lastIndexOf('.'));
}

/** API groups whose name is not the last part of their protobuf package. */
const unusual: Readonly<Record<string, string>> = {
  core: '',
  apiserverinternal: 'internal.apiserver.k8s.io',
  flowcontrol: 'flowcontrol.apiserver.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
};

const bareGroups = new Set(['apps', 'autoscaling', 'batch', 'extensions', 'policy']);

/** Protobuf package → `group/version` of the kinds in it; undefined for packages that hold no kinds of an API. */
function homeOf(name: string): string | undefined {
  const parts = name.split('.');
  const version = parts.pop() ?? '';
  const last = parts.pop() ?? '';
  const root = parts.join('.');
  if (root === 'k8s.io.api') {
    const group = unusual[last] ?? (bareGroups.has(last) ? last : `${last}.k8s.io`);
    return `${group}/${version}`;
  }
  const aggregated = root === 'k8s.io.apiextensions_apiserver.pkg.apis' || root === 'k8s.io.kube_aggregator.pkg.apis';
  return aggregated || name === META || name === `${META}beta1` ? `${last}.k8s.io/${version}` : undefined;
}

function print(source: Source): string {
  const packages = new Map<string, string>();
  for (const message of Object.keys(source)) {
    const home = homeOf(packageOf(message));
    if (home !== undefined) packages.set(packageOf(message), home);
  }
  const names = Object.keys(source)
    .filter((name) => packages.has(packageOf(name)) && special[name] === undefined)
    .sort((a, b) => (packageOf(a) < packageOf(b) ? -1 : packageOf(a) > packageOf(b) ? 1 : a < b ? -1 : 1));
  const lineOf = new Map<string, number>();
  const lines: string[] = [];
  let current = '';
  for (const name of names) {
    if (packageOf(name) !== current) {
      current = packageOf(name);
      lines.push(`=${packages.get(current) ?? ''}`);
    }
    lineOf.set(name, lines.length);
    lines.push(name);
  }
  const text = lines.map((name) => (name.startsWith('=') ? name : printMessage(name, source[name] ?? {}, lineOf)));
  return text.join('\n');
}

function printMessage(
  name: string,
  fields: Readonly<Record<string, SourceField>>,
  lineOf: ReadonlyMap<string, number>,
): string {
  const parts = Object.entries(fields).map(([field, source]) => {
    const { n, t, json } = source;
    return `${json !== undefined && json !== '-' ? json : field} ${n} ${flagsOf(source)}${typeCode(t, packageOf(name), lineOf)}`;
  });
  return [name.slice(name.lastIndexOf('.') + 1), ...parts].join('|');
}

/** `*` a list, `~` inline, then when it may be absent: `^` pointer, `!` and `?` left out of JSON when zero. */
function flagsOf({ repeated, pointer, omitempty, omitzero, inline }: SourceField): string {
  const presence = pointer ? '^' : omitzero ? '!' : omitempty ? '?' : '';
  return `${repeated ? '*' : ''}${inline ? '~' : ''}${presence}`;
}

function typeCode(type: string, home: string, lineOf: ReadonlyMap<string, number>): string {
  const map = /^map<string,(.*)>$/.exec(type);
  if (map !== null) {
    const value = map[1] ?? '';
    const full = value.startsWith('.') ? value.slice(1) : scalars[value] === undefined ? `${home}.${value}` : value;
    return `{}${typeCode(full, home, lineOf)}`;
  }
  const known = scalars[type] ?? special[type];
  if (known !== undefined) {
    return known;
  }
  const line = lineOf.get(type);
  if (line === undefined) {
    throw new Error(`No message ${type}`);
  }
  return `#${line}`;
}

const [, , input] = process.argv;
if (input === undefined) {
  throw new Error('The path of fields.json is needed');
}
const text = print(JSON.parse(readFileSync(input, 'utf8')) as Source);
writeFileSync(
  new URL('../src/http/protobuf/generated/fields.ts', import.meta.url),
  `// Generated by packages/apiserver/generate/protobuf.ts. Do not edit.\n\n/** Format: see there. */\nexport const protobufFields =\n  ${JSON.stringify(text)};\n`,
);

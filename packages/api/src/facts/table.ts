// Reads the generated table of facts. A definition costs nothing until somebody asks for it.
import { everyGroupVersion, factsText } from '../generated/facts.ts';
import type { AnyNode, DefinitionFacts, Field, ObjectNode, SchemaNode } from './schema.ts';

const scalars: Readonly<Record<string, SchemaNode>> = {
  s: { type: 'string' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  n: { type: 'number' },
  b: { type: 'boolean' },
  y: { type: 'bytes' },
  q: { type: 'quantity' },
  t: { type: 'time' },
  m: { type: 'microTime' },
  x: { type: 'intOrString' },
};

const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.';
const anyDefinitions: Readonly<Record<string, string>> = {
  o: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  f: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  p: 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch',
  '*': `${extensions}JSON`,
  A: `${extensions}JSONSchemaPropsOrArray`,
  B: `${extensions}JSONSchemaPropsOrBool`,
  S: `${extensions}JSONSchemaPropsOrStringArray`,
};

interface Home {
  readonly package: string;
  readonly group: string;
  readonly version: string;
}

/** Where each definition stands in the text. Built on first use: about 730 entries. */
interface Index {
  readonly lines: readonly string[];
  readonly homes: readonly Home[];
  readonly byName: ReadonlyMap<string, number>;
  readonly byKind: ReadonlyMap<string, number>;
}

let built: Index | undefined;
const definitions = new Map<number, DefinitionFacts>();

function index(): Index {
  built ??= buildIndex();
  return built;
}

function buildIndex(): Index {
  const lines = factsText.split('\n');
  const homes: Home[] = [];
  const byName = new Map<string, number>();
  const byKind = new Map<string, number>();
  let home: Home = { package: '', group: '', version: '' };
  lines.forEach((line, number) => {
    if (line.startsWith('=')) {
      const [name = '', group = '', version = ''] = line.slice(1).split(' ');
      home = { package: name, group: group === '-' ? '' : group, version: version === '-' ? '' : version };
    } else {
      const name = /^\w+/.exec(line)?.[0] ?? '';
      byName.set(`${home.package}.${name}`, number);
      if (line.charAt(name.length) === '@') byKind.set(kindKey(home.group, home.version, name), number);
    }
    homes.push(home);
  });
  return { lines, homes, byName, byKind };
}

function kindKey(group: string, version: string, kind: string): string {
  return `${group}/${version}/${kind}`;
}

function definitionAt(number: number): DefinitionFacts {
  const known = definitions.get(number);
  if (known !== undefined) return known;
  const { lines, homes } = index();
  const line = lines[number];
  const home = homes[number];
  const head = /^(\w+)(@\*?)?(?:~(.))?(?: a(\w+))?/.exec(line ?? '');
  if (line === undefined || home === undefined || head === null)
    throw new Error(`No definition on line ${number} of the facts`);
  const [text, short = '', mark, scalar, mapType] = head;
  const name = `${home.package}.${short}`;
  const node = scalar === undefined ? objectNode(name, line.slice(text.length), mapType) : nodeOf(scalar);
  const facts: DefinitionFacts = {
    name,
    node,
    everywhere: mark === '@*',
    ...(mark === undefined ? {} : { kind: { group: home.group, version: home.version, kind: short } }),
  };
  definitions.set(number, facts);
  return facts;
}

function objectNode(definition: string, fieldsText: string, mapType: string | undefined): ObjectNode {
  let fields: ReadonlyMap<string, Field> | undefined;
  let alwaysWritten: readonly Field[] | undefined;
  return {
    type: 'object',
    definition,
    ...(mapType === undefined ? {} : { mapType: mapType === 'atomic' ? 'atomic' : 'granular' }),
    get fields() {
      fields ??= new Map(fieldsText.split('|').slice(1).map(parseField));
      return fields;
    },
    get alwaysWritten() {
      alwaysWritten ??= [...this.fields.values()].filter(isAlwaysWritten);
      return alwaysWritten;
    },
  };
}

/** Go writes null for a required list that nobody gave, and reads an empty list as the same; types promise a list. */
function isAlwaysWritten(field: Field): boolean {
  return field.always || (field.required && field.node.type === 'array');
}

function parseField(text: string): [string, Field] {
  const [label = '', type = '', ...options] = text.split(' ');
  const required = label.endsWith('!');
  const name = required ? label.slice(0, -1) : label;
  const of = (letter: string): string | undefined => options.find((option) => option.startsWith(letter))?.slice(1);
  const listType = of('l');
  const mapType = of('a');
  const patchMergeKey = of('m');
  const preset = of('d');
  const node = nodeOf(type);
  const field: Field = {
    name,
    node,
    required,
    enum: of('e')?.split(',') ?? [],
    listMapKeys: of('k')?.split(',') ?? [],
    patchStrategy: of('s')?.split(',') ?? [],
    always: of('z') !== undefined,
    ...(listType === 'atomic' || listType === 'set' || listType === 'map' ? { listType } : {}),
    ...(mapType === 'atomic' || mapType === 'granular' ? { mapType } : {}),
    ...(patchMergeKey === undefined ? {} : { patchMergeKey }),
    ...(preset === undefined ? {} : { default: node.type === 'integer' ? Number(preset) : preset }),
  };
  return [name, field];
}

function nodeOf(code: string): SchemaNode {
  if (code.startsWith('[]')) return { type: 'array', items: nodeOf(code.slice(2)) };
  if (code.startsWith('{}')) return { type: 'map', values: nodeOf(code.slice(2)) };
  if (code.startsWith('#')) return definitionAt(Number(code.slice(1))).node;
  const scalar = scalars[code];
  if (scalar !== undefined) return scalar;
  const definition = anyDefinitions[code];
  if (definition === undefined) throw new Error(`Unknown type code ${code} in the facts`);
  return { type: 'any', definition } satisfies AnyNode;
}

/** Facts about the kinds and definitions of the official API. All answers are shared and immutable. */
export const facts = {
  /** The shape of a kind; undefined for kinds that the official API does not have. */
  ofKind(group: string, version: string, kind: string): ObjectNode | undefined {
    const number = index().byKind.get(kindKey(group, version, kind)) ?? index().byKind.get(kindKey('', 'v1', kind));
    if (number === undefined) return undefined;
    const found = definitionAt(number);
    const matches = found.everywhere || (found.kind?.group === group && found.kind.version === version);
    return matches && found.node.type === 'object' ? found.node : undefined;
  },

  /** A definition by its full name, as `io.k8s.api.core.v1.PodSpec`. */
  definition(name: string): DefinitionFacts | undefined {
    const number = index().byName.get(name);
    return number === undefined ? undefined : definitionAt(number);
  },

  /** Full names of all definitions. */
  definitionNames(): Iterable<string> {
    return index().byName.keys();
  },

  /** Group/versions in which the kinds that exist everywhere (DeleteOptions, WatchEvent) are known, as `apps/v1`. */
  everyGroupVersion(): readonly { readonly group: string; readonly version: string }[] {
    return everyGroupVersion.split(' ').map((text) => {
      const [group = '', version = ''] = text.split('/');
      return { group, version };
    });
  },
} as const;

// Schemas as field tracking walks them: which values have parts of their own, and which are one.
import type { Field, ObjectNode, SchemaNode } from '@wherry/api';
import { compareText, fieldElement } from './path-element.ts';
import { type Step, StepCache, stepOf } from './steps.ts';

export type Shape = ScalarShape | AtomicShape | StructShape | MapShape | SetShape | ListShape | ArrayShape | AnyShape;

export interface ScalarShape {
  readonly kind: 'scalar';
  /** `untyped` takes any scalar: quantities, times, numbers or texts. */
  readonly scalar: 'string' | 'numeric' | 'boolean' | 'untyped';
}

/** A list, a map or an object that has one owner; its parts only matter when it is checked. */
export interface AtomicShape {
  readonly kind: 'atomic';
  readonly inner: Shape;
}

export interface StructShape {
  readonly kind: 'struct';
  readonly fields: ReadonlyMap<string, StructField>;
  /** In the order of sets. */
  readonly sorted: readonly StructField[];
}

export interface StructField {
  readonly name: string;
  readonly element: string;
  readonly step: Step;
  readonly shape: Shape;
  /** Owned by nobody: what identifies an object, and what only the server sets. */
  readonly untracked: boolean;
}

export interface MapShape {
  readonly kind: 'map';
  readonly values: Shape;
}

/** A list of scalars, each at most once. */
export interface SetShape {
  readonly kind: 'set';
  readonly items: Shape;
  readonly steps: StepCache;
}

/** A list of objects that are known by some of their fields. */
export interface ListShape {
  readonly kind: 'list';
  /** Sorted by name. */
  readonly keys: readonly ListKey[];
  readonly items: Shape;
  readonly steps: StepCache;
}

export interface ListKey {
  readonly name: string;
  /** Taken when an element lacks the field; undefined: there is none. */
  readonly preset: string | number | boolean | undefined;
}

/** A map's entries, whatever map: labels, annotations and data have names that come again. */
export const entrySteps = new StepCache();

/** A list by position; only found inside atomic ones. */
export interface ArrayShape {
  readonly kind: 'array';
  readonly items: Shape;
}

/** JSON of any shape: maps have parts, lists have not. */
export interface AnyShape {
  readonly kind: 'any';
}

const any: AnyShape = { kind: 'any' };
const scalars = {
  string: { kind: 'scalar', scalar: 'string' },
  numeric: { kind: 'scalar', scalar: 'numeric' },
  boolean: { kind: 'scalar', scalar: 'boolean' },
  untyped: { kind: 'scalar', scalar: 'untyped' },
} as const satisfies Record<string, ScalarShape>;

const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Metadata that no manager ever owns, as upstream strips it. */
const untrackedMetadata = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

const roots = new WeakMap<ObjectNode, StructShape>();
const structs = new WeakMap<ObjectNode, StructShape>();

/** The shape of a kind, below which its identity is owned by nobody. */
export function shapeOfKind(node: ObjectNode): StructShape {
  let root = roots.get(node);
  if (root === undefined) {
    root = struct(node, (field) => {
      if (field.name === 'apiVersion' || field.name === 'kind') return { untracked: true };
      const { node: inner } = field;
      return field.name === 'metadata' && inner.type === 'object' && inner.definition === objectMeta
        ? { shape: struct(inner, ({ name }) => ({ untracked: untrackedMetadata.has(name) })) }
        : {};
    });
    roots.set(node, root);
  }
  return root;
}

type Difference = { readonly untracked?: boolean; readonly shape?: Shape };

/** Made when first walked, for definitions may refer to each other in a circle. */
function struct(node: ObjectNode, differs: (field: Field) => Difference): StructShape {
  let fields: ReadonlyMap<string, StructField> | undefined;
  let sorted: readonly StructField[] | undefined;
  return {
    kind: 'struct',
    get fields() {
      fields ??= new Map(
        [...node.fields.values()].map((field) => {
          const { untracked = false, shape } = differs(field);
          const { name } = field;
          const step = stepOf(fieldElement(name));
          return [name, { name, element: step.element, step, shape: shape ?? shapeOfField(field), untracked }];
        }),
      );
      return fields;
    },
    get sorted() {
      sorted ??= [...this.fields.values()].sort((left, right) => compareText(left.name, right.name));
      return sorted;
    },
  };
}

function shapeOfField(field: Field): Shape {
  const { node } = field;
  if (node.type === 'array') return listShape(field, node.items);
  if (node.type === 'object') {
    const relation = field.mapType ?? node.mapType;
    const shape = structShape(node);
    return relation === 'atomic' ? { kind: 'atomic', inner: shape } : shape;
  }
  const shape = shapeOf(node);
  return field.mapType === 'atomic' ? { kind: 'atomic', inner: shape } : shape;
}

function structShape(node: ObjectNode): StructShape {
  let shape = structs.get(node);
  if (shape === undefined) {
    shape = struct(node, () => ({}));
    structs.set(node, shape);
  }
  return shape;
}

function listShape(field: Field, items: SchemaNode): Shape {
  switch (field.listType) {
    case 'set':
      return { kind: 'set', items: shapeOf(items), steps: new StepCache() };
    case 'map':
      return {
        kind: 'list',
        keys: field.listMapKeys.map((name) => listKey(name, items)).sort(byName),
        items: shapeOf(items),
        steps: new StepCache(),
      };
    default:
      return { kind: 'atomic', inner: { kind: 'array', items: shapeOf(items) } };
  }
}

function byName(left: ListKey, right: ListKey): number {
  return compareText(left.name, right.name);
}

/** Keys that the schema requires have Go's zero value as their default there. */
function listKey(name: string, items: SchemaNode): ListKey {
  const field = items.type === 'object' ? items.fields.get(name) : undefined;
  if (field === undefined) return { name, preset: undefined };
  if (field.default !== undefined) return { name, preset: field.default };
  // References to objects by name alone: optional in the schema, and yet with a default.
  const named = items.type === 'object' && items.definition === 'io.k8s.api.core.v1.LocalObjectReference';
  return { name, preset: field.required || named ? zeroOf(field.node) : undefined };
}

function zeroOf(node: SchemaNode): string | number | boolean {
  if (node.type === 'integer' || node.type === 'number') return 0;
  return node.type === 'boolean' ? false : '';
}

function shapeOf(node: SchemaNode): Shape {
  switch (node.type) {
    case 'object':
      return node.mapType === 'atomic' ? { kind: 'atomic', inner: structShape(node) } : structShape(node);
    case 'map':
      return { kind: 'map', values: shapeOf(node.values) };
    case 'array':
      return { kind: 'atomic', inner: { kind: 'array', items: shapeOf(node.items) } };
    case 'string':
    case 'bytes':
      return scalars.string;
    case 'integer':
    case 'number':
      return scalars.numeric;
    case 'boolean':
      return scalars.boolean;
    case 'any':
      return node.definition === rawExtension ? { kind: 'atomic', inner: any } : any;
    default:
      return scalars.untyped;
  }
}

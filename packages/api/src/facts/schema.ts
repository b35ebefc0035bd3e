// What is known about the shape of every kind: the nodes that decoding, patching and OpenAPI documents walk.

export interface Field {
  readonly name: string;
  readonly node: SchemaNode;
  readonly required: boolean;
  /** Allowed values; empty if any is. */
  readonly enum: readonly string[];
  readonly listType?: 'atomic' | 'set' | 'map';
  /** Fields that together identify an element of a list of type `map`. */
  readonly listMapKeys: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  /** Field by which strategic merge patches identify an element. */
  readonly patchMergeKey?: string;
  /** `merge`, `replace`, `retainKeys`, as listed. */
  readonly patchStrategy: readonly string[];
  /** Default that the schema itself states. Real defaulting is `applyDefaults`; these complete keys of lists. */
  readonly default?: string | number;
  /** Whether upstream writes the field even when it is empty. */
  readonly always: boolean;
}

export interface ObjectNode {
  readonly type: 'object';
  /** Name of the definition, as `io.k8s.api.core.v1.PodSpec`. */
  readonly definition: string;
  readonly mapType?: 'atomic' | 'granular';
  /** Filled when first read, for definitions may refer to each other in a circle. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Those of `fields` that are always written. */
  readonly alwaysWritten: readonly Field[];
}

export interface MapNode {
  readonly type: 'map';
  readonly values: SchemaNode;
}

export interface ArrayNode {
  readonly type: 'array';
  readonly items: SchemaNode;
}

export interface IntegerNode {
  readonly type: 'integer';
  readonly format: 'int32' | 'int64';
}

/** `bytes` is base64 text; `any` is JSON of any shape, with the definition it was declared as. */
export interface ScalarNode {
  readonly type: 'string' | 'number' | 'boolean' | 'intOrString' | 'quantity' | 'time' | 'microTime' | 'bytes';
}

export interface AnyNode {
  readonly type: 'any';
  /** Definition that OpenAPI documents refer to; undefined for a plain object of any shape. */
  readonly definition?: string;
}

export type SchemaNode = ObjectNode | MapNode | ArrayNode | IntegerNode | ScalarNode | AnyNode;

/** A definition of the official document: an object, or a scalar with a name of its own. */
export interface DefinitionFacts {
  readonly name: string;
  readonly node: SchemaNode;
  /** The kind it is; undefined for parts of kinds. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Whether it is a kind in every group and version, as DeleteOptions is. */
  readonly everywhere: boolean;
}

import type { Field, ObjectNode, SchemaNode } from '@wherry/api';
import type { MergeFacts, MergeField } from '../patch/strategic-merge.ts';

const known = new WeakMap<ObjectNode, MergeFacts>();

/** What strategic merge needs to know of a kind, from the facts about it. */
export function mergeFacts(node: ObjectNode): MergeFacts {
  let made = known.get(node);
  if (made === undefined) {
    const fields = new Map<string, MergeField>();
    made = {
      field(name) {
        const field = node.fields.get(name);
        if (field === undefined) {
          return undefined;
        }
        const merged = fields.get(name) ?? mergeField(field);
        fields.set(name, merged);
        return merged;
      },
    };
    known.set(node, made);
  }
  return made;
}

function mergeField(field: Field): MergeField {
  return {
    facts: inner(field.node),
    mergeKey: field.patchMergeKey,
    merge: field.patchStrategy.includes('merge'),
    replace: field.patchStrategy.includes('replace'),
    retainKeys: field.patchStrategy.includes('retainKeys'),
  };
}

function inner(node: SchemaNode): MergeFacts | undefined {
  switch (node.type) {
    case 'object':
      return mergeFacts(node);
    case 'array':
      return inner(node.items);
    case 'map': {
      const values = inner(node.values);
      return values === undefined
        ? undefined
        : { field: () => ({ facts: values, mergeKey: undefined, merge: false, replace: false, retainKeys: false }) };
    }
    default:
      return undefined;
  }
}

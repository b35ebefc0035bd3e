// How Go sees values: what is empty, and what types are called in its messages.
import type { SchemaNode } from './schema.ts';

/** What Go has where JSON says null inside a list or map, and what it writes for a field that is always written. */
export function emptyValue(node: SchemaNode): unknown {
  switch (node.type) {
    case 'string':
    case 'bytes':
      return '';
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'array':
      return [];
    case 'object': {
      const empty: Record<string, unknown> = {};
      for (const field of node.alwaysWritten) empty[field.name] = emptyValue(field.node);
      return empty;
    }
    case 'map':
      return {};
    default:
      return null;
  }
}

/** Name of a JSON value's type in Go's messages. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

/** Name of the Go type that a field has. */
export function goType(node: SchemaNode): string {
  switch (node.type) {
    case 'object':
      return node.definition.split('.').slice(-2).join('.');
    case 'array':
      return `[]${goType(node.items)}`;
    case 'map':
      return node.values.type === 'quantity' ? 'v1.ResourceList' : `map[string]${goType(node.values)}`;
    case 'boolean':
      return 'bool';
    case 'integer':
      return node.format;
    case 'number':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    default:
      return node.type;
  }
}

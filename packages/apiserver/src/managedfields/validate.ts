// Checks an applied configuration against its schema; it may lack anything, but nothing may be unknown.
import { itemStep } from './list-items.ts';
import { elementText, fieldElement } from './path-element.ts';
import type { ArrayShape, ListShape, ScalarShape, SetShape, Shape, StructShape } from './shape.ts';
import { type Bag, isBag } from './values.ts';

interface Problem {
  readonly path: string;
  readonly text: string;
}

/** Upstream's text; undefined: nothing is wrong. */
export function problemsOf(shape: StructShape, value: unknown): string | undefined {
  const problems: Problem[] = [];
  check(shape, value, '', problems);
  if (problems.length === 0) return undefined;
  const texts = problems.map(({ path, text }) => (path === '' ? text : `${path}: ${text}`));
  return texts.length === 1 ? texts[0] : ['errors:', ...texts.map((text) => `  ${text}`)].join('\n');
}

function check(shape: Shape, value: unknown, path: string, problems: Problem[]): void {
  switch (shape.kind) {
    case 'scalar':
      checkScalar(shape, value, path, problems);
      return;
    case 'atomic':
      check(shape.inner, value, path, problems);
      return;
    case 'struct':
    case 'map':
      if (value === null) return;
      if (!isBag(value)) {
        problems.push({ path, text: `expected map, got ${goPointer(value)}` });
      } else if (shape.kind === 'struct') {
        checkFields(shape, value, path, problems);
      } else {
        for (const name in value) check(shape.values, value[name], path + elementText(fieldElement(name)), problems);
      }
      return;
    case 'any':
      return;
    default:
      if (value === null) return;
      if (Array.isArray(value)) checkItems(shape, value, path, problems);
      else problems.push({ path, text: `expected list, got ${goPointer(value)}` });
  }
}

/** As upstream, stops at the first field that is not known. */
function checkFields(shape: StructShape, value: Bag, path: string, problems: Problem[]): void {
  for (const name in value) {
    const field = shape.fields.get(name);
    const below = path + elementText(fieldElement(name));
    if (field === undefined) {
      problems.push({ path: below, text: 'field not declared in schema' });
      return;
    }
    check(field.shape, value[name], below, problems);
  }
}

function checkItems(
  shape: ListShape | SetShape | ArrayShape,
  list: readonly unknown[],
  path: string,
  problems: Problem[],
): void {
  const seen = new Set<string>();
  for (const [position, item] of list.entries()) {
    let element = `i:${position}`;
    if (shape.kind !== 'array') {
      const step = itemStep(shape, item);
      if ('problem' in step) {
        problems.push({ path, text: `element ${position}: ${step.problem}` });
        return;
      }
      element = step.element;
      if (seen.has(element)) problems.push({ path, text: `duplicate entries for key ${elementText(element)}` });
      seen.add(element);
    }
    check(shape.items, item, path + elementText(element), problems);
  }
}

function checkScalar({ scalar }: ScalarShape, value: unknown, path: string, problems: Problem[]): void {
  if (value === null) return;
  const type = typeof value;
  switch (scalar) {
    case 'numeric':
      if (type !== 'number') problems.push({ path, text: `expected numeric (int or float), got ${goType(value)}` });
      return;
    case 'string':
      if (type !== 'string') {
        problems.push({ path, text: `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}` });
      }
      return;
    case 'boolean':
      if (type !== 'boolean') problems.push({ path, text: `expected boolean, got ${goPointer(value)}` });
      return;
    default:
      if (type === 'object') problems.push({ path, text: `expected any scalar, got ${goPointer(value)}` });
  }
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isBag(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Go's `%v` of a pointer to the value. */
function goPointer(value: unknown): string {
  return `&{${goValue(value)}}`;
}

function goValue(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isBag(value)) return String(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `map[${entries.map(([name, item]) => `${name}:${goValue(item)}`).join(' ')}]`;
}

/** Go's `%#v`. */
function goSyntax(value: unknown): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isBag(value)) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `map[string]interface {}{${entries.map(([name, item]) => `${JSON.stringify(name)}:${goSyntax(item)}`).join(', ')}}`;
}

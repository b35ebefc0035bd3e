import { describe, expect, it } from 'vitest';
import { fillTemplate, JsonPathError, valuesAt } from './json-path.ts';

const list = {
  kind: 'List',
  items: [
    { metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' } }, status: { phase: 'Running', restarts: 3 } },
    { metadata: { name: 'b' }, status: { phase: 'Pending', restarts: 0 } },
  ],
};

describe('fillTemplate', () => {
  it.each([
    ['{.kind}', 'List'],
    ['{.items[*].metadata.name}', 'a b'],
    ['{.items[0].metadata.name}', 'a'],
    ['{.items[-1:].metadata.name}', 'b'],
    ['{.items[0:1].metadata.name}', 'a'],
    ["{.items[1].metadata['name','labels']}", 'b'],
    ["{.items[0]['metadata','status'].name}", 'a'],
    ['{range.items[*]}{.metadata.name};{end}', 'a;b;'],
    ["{.items[0].metadata.labels['app.kubernetes.io/name']}", 'x'],
    ['{.items[0].metadata.labels.app\\.kubernetes\\.io/name}', 'x'],
    ['{.items[?(@.status.phase=="Running")].metadata.name}', 'a'],
    ['{.items[?(@.status.restarts>1)].metadata.name}', 'a'],
    ['{.items[?(@.metadata.labels)].metadata.name}', 'a'],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', 'a\tRunning\nb\tPending\n'],
    ['{..name}', 'a b'],
    ['{.items[0].status}', '{"phase":"Running","restarts":3}'],
    ['name={.items[1].metadata.name}!', 'name=b!'],
    ['{.nothing.here}', ''],
  ])('%s', (template, text) => expect(fillTemplate(template, list)).toBe(text));

  it.each([['{.items[*'], ['{range .items[*]}x'], ['{end}'], ['{.items[x]}']])('refuses %s', (template) => {
    expect(() => fillTemplate(template, list)).toThrow(JsonPathError);
  });
});

describe('valuesAt', () => {
  it('takes bare and braced paths', () => {
    expect(valuesAt('.kind', list)).toEqual(['List']);
    expect(valuesAt('{.items[*].metadata.name}', list)).toEqual(['a', 'b']);
    expect(valuesAt('kind', list)).toEqual(['List']);
  });
});

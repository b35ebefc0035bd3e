import { describe, expect, it } from 'vitest';
import { labelOf } from './generic.ts';
import { Outline } from './outline.ts';

describe('Outline', () => {
  it('aligns fields, and shows several values below each other', () => {
    const outline = new Outline().field('Name', 'web').labels('Labels', { b: '2', a: '1' }).field('Node', undefined);
    expect(outline.text()).toBe('Name:    web\nLabels:  a=1\n         b=2\n');
  });

  it('indents blocks, and aligns them apart', () => {
    const outline = new Outline().block('Containers', (inner) => {
      inner.block('web', (own) => void own.field('Image', 'a').field('Ready', true));
    });
    expect(outline.text()).toBe('Containers:\n  web:\n    Image:  a\n    Ready:  true\n');
  });

  it('draws tables, or says that there is nothing', () => {
    const outline = new Outline().table('Empty', ['A'], []).table('Some', ['Type', 'Status'], [['Ready', 'True']]);
    expect(outline.text()).toBe('Empty:  <none>\nSome:\n  Type   Status\n  ----   ------\n  Ready  True\n');
  });

  it('leaves out what apply notes, and breaks long annotations', () => {
    const outline = new Outline().annotations('Annotations', {
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      note: 'one\ntwo\n',
      size: '1',
    });
    expect(outline.text()).toBe(
      'Annotations:  note:\n                one\n                two\n              size: 1\n',
    );
  });

  it('has no text when nothing was written', () => expect(new Outline().text()).toBe(''));
});

describe('labelOf', () => {
  it.each([
    ['creationTimestamp', 'Creation Timestamp'],
    ['apiVersion', 'API Version'],
    ['uid', 'UID'],
    ['podIPs', 'Pod I Ps'],
    ['my.key', 'my.key'],
    ['kind', 'Kind'],
  ])('%s is %s', (field, label) => expect(labelOf(field)).toBe(label));
});

import type { Pod, Service } from '@wherry/api';
import { expect, it } from 'vitest';
import { affectsEndpoints, isSelecting, selects } from './selection.ts';

const serviceOf = (selector?: Record<string, string>, type?: string): Service => ({
  spec: { ...(selector && { selector }), ...(type && { type }) },
});

it.each([
  ['a selector', serviceOf({ a: 'b' }), true],
  ['none', serviceOf(), false],
  ['an empty one', serviceOf({}), false],
  ['an alias', serviceOf({ a: 'b' }, 'ExternalName'), false],
])('%s', (_, service, expected) => {
  expect(isSelecting(service)).toBe(expected);
});

it('needs all labels, and some', () => {
  expect(selects(serviceOf({ a: 'b', c: 'd' }), { a: 'b', c: 'd', e: 'f' })).toBe(true);
  expect(selects(serviceOf({ a: 'b', c: 'd' }), { a: 'b' })).toBe(false);
  expect(selects(serviceOf(), { a: 'b' })).toBe(false);
});

const pod: Pod = { metadata: { name: 'p', labels: { a: 'b' } }, status: { phase: 'Running', podIP: '10.0.0.1' } };
it.each([
  ['a new pod', pod, undefined, true],
  ['nothing that counts', { ...pod, status: { ...pod.status, startTime: 'x' } }, pod, false],
  ['ready', { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] } }, pod, true],
  ['going', { ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'x' } }, pod, true],
  ['other labels', { ...pod, metadata: { name: 'p' } }, pod, true],
  ['another address', { ...pod, status: { ...pod.status, podIP: '10.0.0.2' } }, pod, true],
  ['ended', { ...pod, status: { ...pod.status, phase: 'Failed' } }, pod, true],
])('%s', (_, now, before, expected) => {
  expect(affectsEndpoints(now, before)).toBe(expected);
});

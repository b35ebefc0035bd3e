import { expect, it } from 'vitest';
import { type CertificateFacts, renewAtMs } from './certificate-rotation.ts';

const template = { commonName: 'system:node:n1', organization: 'system:nodes', ipAddresses: ['10.0.0.1'] };
const facts: CertificateFacts = {
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  ipAddresses: ['10.0.0.1', '10.0.0.2'],
  notBeforeMs: 1_000,
  notAfterMs: 2_000,
};
const atOnce = Number.NEGATIVE_INFINITY;

it.each([
  ['at 70 % of its life', facts, 0, 1_700],
  ['at 80 % of its life', facts, 0.5, 1_800],
  ['before 90 % of its life', facts, 0.99, 1_898],
  ['at once when there is none', undefined, 0, atOnce],
  ['at once when it is another node’s', { ...facts, commonName: 'system:node:n2' }, 0, atOnce],
  ['at once when it is no node’s', { ...facts, organizations: [] }, 0, atOnce],
  ['at once when the address changed', { ...facts, ipAddresses: ['10.0.0.2'] }, 0, atOnce],
])('renews %s', (_, certificate, luck, expected) => {
  expect(renewAtMs(certificate, template, luck)).toBeCloseTo(expected);
});

import type { CertificateSigningRequest } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { durationMs, isToBeSigned, keptForMs, kubeletRequest, type RequestedSubject, refusal } from './plan.ts';

const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet';
const usages = ['digital signature', 'client auth'];
const requestOf = (
  spec: Partial<CertificateSigningRequest['spec']> = {},
  conditions: readonly string[] = [],
  certificate?: string,
): CertificateSigningRequest => ({
  metadata: { creationTimestamp: '2025-01-01T00:00:00Z' },
  spec: { request: '', signerName: kubelet, usages, username: 'system:node:n1', ...spec },
  status: {
    conditions: conditions.map((type) => ({ type, status: 'True', lastUpdateTime: '2025-01-01T10:00:00Z' })),
    ...(certificate && { certificate }),
  },
});
const subjectOf = (more: Partial<RequestedSubject> = {}): RequestedSubject => ({
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
  ...more,
});

describe('refusal', () => {
  const serving = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] };
  const cases: readonly (readonly [
    string,
    Partial<CertificateSigningRequest['spec']>,
    Partial<RequestedSubject>,
    string | undefined,
  ])[] = [
    ['a kubelet client', {}, {}, undefined],
    ['not for another group', {}, { organizations: ['system:masters'] }, 'organization'],
    ['not for another name', {}, { commonName: 'admin' }, 'common name'],
    ['not with names', {}, { dnsNames: ['x'] }, 'DNS subjectAltNames'],
    ['not as a server', { usages: ['server auth'] }, {}, 'usages'],
    ['a kubelet server', serving, { ipAddresses: ['10.0.0.1'] }, undefined],
    ['not without names', serving, {}, 'required'],
    [
      'any client',
      { signerName: 'kubernetes.io/kube-apiserver-client' },
      { commonName: 'me', organizations: [] },
      undefined,
    ],
    [
      'not beyond a client',
      { signerName: 'kubernetes.io/kube-apiserver-client', usages: [...usages, 'server auth'] },
      {},
      'usages',
    ],
  ];
  it.each(cases)('%s', (_, spec, subject, problem) => {
    const found = refusal(requestOf(spec), subjectOf(subject));
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});

it('knows whose kubelet asks', () => {
  expect(kubeletRequest(requestOf(), subjectOf())).toBe('selfnodeclient');
  expect(kubeletRequest(requestOf({ username: 'system:bootstrap:x' }), subjectOf())).toBe('nodeclient');
  expect(kubeletRequest(requestOf({ signerName: 'kubernetes.io/legacy-unknown' }), subjectOf())).toBeUndefined();
});

it.each([
  ['approved', ['Approved'], undefined, true],
  ['signed already', ['Approved'], 'cert', false],
  ['denied', ['Approved', 'Denied'], undefined, false],
  ['failed', ['Approved', 'Failed'], undefined, false],
  ['pending', [], undefined, false],
])('%s', (_, conditions, certificate, expected) => {
  expect(isToBeSigned(requestOf({}, conditions, certificate))).toBe(expected);
});

it('keeps requests for a while', () => {
  const at = (text: string) => Date.parse(text);
  expect(keptForMs(requestOf(), at('2025-01-01T23:00:00Z'))).toBe(3_600_000);
  expect(keptForMs(requestOf({}, ['Approved']), at('2025-01-01T10:30:00Z'))).toBe(1_800_000);
  expect(keptForMs(requestOf({}, ['Denied']), at('2025-01-01T12:00:00Z'))).toBe(0);
});

it('bounds the life of certificates', () => {
  expect(
    [undefined, 60, 3600, 10 ** 9].map(
      (seconds) => durationMs(requestOf(seconds === undefined ? {} : { expirationSeconds: seconds })) / 1000,
    ),
  ).toEqual([31_536_000, 600, 3600, 31_536_000]);
});

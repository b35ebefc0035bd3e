import type { CertificateSigningRequest } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import {
  durationMs,
  isOwnServingRequest,
  isToBeSigned,
  keptForMs,
  kubeletRequests,
  type RequestedSubject,
  refusal,
} from './plan.ts';

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
  expect(kubeletRequests(requestOf(), subjectOf())).toEqual(['selfnodeclient', 'nodeclient']);
  expect(kubeletRequests(requestOf({ username: 'system:bootstrap:x' }), subjectOf())).toEqual(['nodeclient']);
  expect(kubeletRequests(requestOf({ signerName: 'kubernetes.io/legacy-unknown' }), subjectOf())).toEqual([]);
  expect(kubeletRequests(requestOf(), subjectOf({ organizations: ['system:masters'] }))).toEqual([]);
});

describe('a request of a kubelet to serve', () => {
  const serving = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] };
  const known = { own: ['10.0.0.1', '10.0.0.9'], others: new Set(['10.0.0.9']) };
  const cases: readonly (readonly [
    string,
    Partial<CertificateSigningRequest['spec']>,
    Partial<RequestedSubject>,
    boolean,
  ])[] = [
    ['under its address', serving, { ipAddresses: ['10.0.0.1'] }, true],
    ['under an address that it does not say it has', serving, { ipAddresses: ['10.0.0.2'] }, false],
    ['under an address that is known as another’s', serving, { ipAddresses: ['10.0.0.1', '10.0.0.9'] }, false],
    ['under a name', serving, { ipAddresses: ['10.0.0.1'], dnsNames: ['n1'] }, false],
    ['under nothing', serving, {}, false],
    ['for another node', { ...serving, username: 'system:node:n2' }, { ipAddresses: ['10.0.0.1'] }, false],
    ['as a client too', { ...serving, usages: ['client auth', 'server auth'] }, { ipAddresses: ['10.0.0.1'] }, false],
    ['by another signer', {}, { ipAddresses: ['10.0.0.1'] }, false],
  ];
  it.each(cases)('%s', (_, spec, subject, expected) => {
    expect(isOwnServingRequest(requestOf(spec), subjectOf(subject), known)).toBe(expected);
  });
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

it.each([
  ['as long as can be', undefined, 86_400, 86_400],
  ['ten minutes at least', 60, 86_400, 600],
  ['what it asks for', 3600, 86_400, 3600],
  ['no more than can be', 10 ** 9, 86_400, 86_400],
  ['less than ten minutes where the cluster says so', 60, 30, 30],
])('a certificate lives %s', (_, expirationSeconds, secondsMax, expected) => {
  const request = requestOf(expirationSeconds === undefined ? {} : { expirationSeconds });
  expect(durationMs(request, secondsMax * 1000)).toBe(expected * 1000);
});

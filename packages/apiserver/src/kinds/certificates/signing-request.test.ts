import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, subresourceRefusals, testContext } from '../validation-cases.ts';
import { signingRequestStrategy } from './signing-request.ts';

const pem = btoa('-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n');
const approved: CertificateSigningRequestCondition = { type: 'Approved', status: 'True', reason: 'Ours' };

function request(change: Partial<CertificateSigningRequest['spec']> = {}): CertificateSigningRequest {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'csr' },
    spec: { request: pem, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], ...change },
  };
}

function withConditions(...conditions: readonly CertificateSigningRequestCondition[]): CertificateSigningRequest {
  return { ...request(), status: { conditions } };
}

describe('a signing request', () => {
  it('says who asks, whatever the client says', () => {
    expect(
      created(signingRequestStrategy, request({ username: 'root', groups: ['system:masters'] })).spec,
    ).toMatchObject({
      username: 'alice',
      uid: 'u-1',
      groups: ['dev', 'system:authenticated'],
      extra: { scope: ['a'] },
    });
  });

  const cases: readonly (readonly [string, Partial<CertificateSigningRequest['spec']>, readonly string[]])[] = [
    ['everything', {}, []],
    [
      'no certificate request',
      { request: btoa('hello') },
      [`spec.request: Invalid value: "${btoa('hello')}": PEM block type must be CERTIFICATE REQUEST`],
    ],
    ['no usages', { usages: [] }, ['spec.usages: Required value']],
    ['one usage twice', { usages: ['any', 'any'] }, ['spec.usages[1]: Duplicate value: "any"']],
    ['no signer', { signerName: '' }, ['spec.signerName: Required value']],
    [
      'ten seconds',
      { expirationSeconds: 10 },
      ['spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 600 seconds (10 minutes)'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(signingRequestStrategy, request(change))).toEqual(refusals);
  });

  it('keeps its spec', () => {
    const old = created(signingRequestStrategy, request());
    const next = signingRequestStrategy.prepareForUpdate(
      { ...old, spec: request({ usages: ['any'] }).spec },
      old,
      testContext,
    );
    expect(next.spec).toBe(old.spec);
  });

  it('is approved through `approval` only, with the time', () => {
    const rules = signingRequestStrategy.subresources;
    const viaStatus = rules?.['status']?.prepareForUpdate(withConditions(approved), request(), testContext);
    expect(viaStatus?.status?.conditions ?? []).toEqual([]);
    const viaApproval = rules?.['approval']?.prepareForUpdate(withConditions(approved), request(), testContext);
    expect(viaApproval?.status?.conditions).toEqual([
      { ...approved, lastTransitionTime: testContext.now, lastUpdateTime: testContext.now },
    ]);
  });

  it('is approved or denied, and stays it', () => {
    const denied = { ...approved, type: 'Denied' };
    expect(
      subresourceRefusals(signingRequestStrategy, 'approval', request(), withConditions(approved, denied)),
    ).toEqual(['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive']);
    expect(subresourceRefusals(signingRequestStrategy, 'approval', withConditions(approved), request())).toEqual([
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ]);
    expect(
      subresourceRefusals(
        signingRequestStrategy,
        'approval',
        request(),
        withConditions({ ...approved, status: 'False' }),
      ),
    ).toEqual(['status.conditions[0].status: Unsupported value: "False": supported values: "True"']);
  });

  it('keeps its certificate', () => {
    const old = { ...withConditions(approved), status: { conditions: [approved], certificate: 'AAAA' } };
    const next = { ...old, status: { conditions: [approved], certificate: 'BBBB' } };
    expect(subresourceRefusals(signingRequestStrategy, 'status', old, next)).toEqual([
      'status.certificate: Forbidden: updates may not remove, modify, or add items to the certificate',
    ]);
  });

  it('is shown with its state, and found by its signer', () => {
    const object = { ...created(signingRequestStrategy, request({ expirationSeconds: 3600 })) };
    expect(
      row(signingRequestStrategy, { ...object, status: { conditions: [approved], certificate: 'A' } }),
    ).toMatchObject({
      SignerName: 'kubernetes.io/kube-apiserver-client',
      Requestor: 'alice',
      RequestedDuration: '60m',
      Condition: 'Approved,Issued',
    });
    expect(row(signingRequestStrategy, object)).toMatchObject({ Condition: 'Pending' });
    expect(signingRequestStrategy.fieldSelectors?.['spec.signerName']?.(object)).toBe(
      'kubernetes.io/kube-apiserver-client',
    );
  });
});

import { generateKeyPairSync } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { ApiObject } from '@wherry/api';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../auth/attributes.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import { requestedSubject } from './certificate-request.ts';
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from './certificates.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';
import { nodeRestriction } from './node-restriction.ts';

type Given = Partial<Omit<AdmissionAttributes, 'stored'>> & { readonly of: string };

/** What the plugin says against a write: '' when nothing. */
function against(plugin: AdmissionPlugin, { of, ...given }: Given): string {
  const [group = '', resource = ''] = of.split('/');
  const attributes = {
    operation: 'CREATE',
    subresource: '',
    namespace: 'ns',
    name: 'x',
    object: undefined,
    old: undefined,
    user: { name: 'system:node:n1', uid: '', groups: ['system:nodes'], extra: {} },
    dryRun: false,
    warnings: [],
    stored: { group, resource },
    ...given,
  } as unknown as AdmissionAttributes;
  try {
    if (attributes.object !== undefined) void plugin.admit?.(attributes, attributes.object);
    void plugin.validate?.(attributes);
    return '';
  } catch (error) {
    return (error as Error).message.replace(/^\S+ "[^"]*" is forbidden: /, '');
  }
}

const object = (value: object): ApiObject => value as ApiObject;
const ownPod = object({ metadata: { name: 'p', uid: 'u1' }, spec: { nodeName: 'n1' } });
const otherPod = object({ metadata: { name: 'o', uid: 'u2' }, spec: { nodeName: 'n2' } });
const reader = {
  read: ({ resource }: { readonly resource: string }, _: string, name: string) => {
    if (resource === 'nodes') return name === 'n1' ? { metadata: { name, uid: 'n1-uid' } } : undefined;
    return { p: ownPod, o: otherPod }[name];
  },
} as unknown as ObjectReader;

const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n1-uid', controller: true };
const mirror = (spec: object = {}, owners: readonly object[] = [owner]): ApiObject =>
  object({
    metadata: { name: 'm', annotations: { 'kubernetes.io/config.mirror': 'h' }, ownerReferences: owners },
    spec: { nodeName: 'n1', containers: [], ...spec },
  });
const node = (labels: object, spec: object = {}): ApiObject => object({ metadata: { name: 'n1', labels }, spec });
const token = (boundObjectRef?: object): ApiObject => object({ spec: { audiences: [], boundObjectRef } });
const bound = (name: string, uid: string): object => ({ apiVersion: 'v1', kind: 'Pod', name, uid });

describe('NodeRestriction', () => {
  const plugin = nodeRestriction(reader);
  it.each<readonly [string, Given, string]>([
    ['its mirror pods', { of: '/pods', object: mirror() }, ''],
    [
      'no other pods',
      { of: '/pods', object: ownPod },
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ],
    [
      'no mirror pods elsewhere',
      { of: '/pods', object: mirror({ nodeName: 'n2' }) },
      'node "n1" can only create pods with spec.nodeName set to itself',
    ],
    [
      'no pods without owner',
      { of: '/pods', object: mirror({}, []) },
      'node "n1" can only create pods with an owner reference set to itself',
    ],
    [
      'no pods of a former node',
      { of: '/pods', object: mirror({}, [{ ...owner, uid: 'old' }]) },
      'node n1 UID mismatch: expected old got n1-uid',
    ],
    [
      'no pods with accounts',
      { of: '/pods', object: mirror({ serviceAccountName: 'a' }) },
      'node "n1" can not create pods that reference a service account',
    ],
    [
      'no pods with secrets',
      { of: '/pods', object: mirror({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }) },
      'node "n1" can not create pods that reference secrets',
    ],
    [
      'no pods with config maps',
      { of: '/pods', object: mirror({ containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'm' } }] }] }) },
      'node "n1" can not create pods that reference configmaps',
    ],
    [
      'no pods with claims',
      { of: '/pods', object: mirror({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }) },
      'node "n1" can not create pods that reference persistentvolumeclaims',
    ],
    [
      'no updates of pods',
      { of: '/pods', operation: 'UPDATE', object: ownPod, old: ownPod },
      'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
    ],
    ['the end of its pods', { of: '/pods', operation: 'DELETE', old: ownPod }, ''],
    [
      'not of others',
      { of: '/pods', operation: 'DELETE', old: otherPod },
      'node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    [
      'the status of its pods',
      { of: '/pods', operation: 'UPDATE', subresource: 'status', object: ownPod, old: ownPod },
      '',
    ],
    [
      'not of others’',
      { of: '/pods', operation: 'UPDATE', subresource: 'status', object: otherPod, old: otherPod },
      'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'no labels through status',
      {
        of: '/pods',
        operation: 'UPDATE',
        subresource: 'status',
        object: object({ ...ownPod, metadata: { labels: { a: 'b' } } }),
        old: ownPod,
      },
      'node "n1" cannot update labels through pod status',
    ],
    ['evictions of its pods', { of: '/pods', subresource: 'eviction', object: object({}), old: ownPod }, ''],
    [
      'none of others',
      { of: '/pods', subresource: 'eviction', object: object({}), old: otherPod },
      'node n1 can only evict pods with spec.nodeName set to itself',
    ],
    [
      'nothing else of pods',
      { of: '/pods', operation: 'UPDATE', subresource: 'resize', object: ownPod, old: ownPod },
      `unexpected pod subresource "resize", only 'status' and 'eviction' are allowed`,
    ],
    [
      'its own node',
      { of: '/nodes', object: node({ 'kubernetes.io/os': 'linux', 'node.kubernetes.io/x': '', mine: '' }) },
      '',
    ],
    [
      'no other node',
      { of: '/nodes', object: object({ metadata: { name: 'n2' } }) },
      'node "n1" is not allowed to modify node "n2"',
    ],
    [
      'no reserved labels',
      {
        of: '/nodes',
        object: node({ 'node-role.kubernetes.io/control-plane': '', 'x.node-restriction.kubernetes.io/y': '' }),
      },
      'node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane, x.node-restriction.kubernetes.io/y',
    ],
    [
      'no change of reserved labels',
      { of: '/nodes', operation: 'UPDATE', object: node({}), old: node({ 'node-restriction.kubernetes.io/y': '1' }) },
      'is not allowed to modify labels: node-restriction.kubernetes.io/y',
    ],
    [
      'no change of taints',
      {
        of: '/nodes',
        operation: 'UPDATE',
        object: node({}),
        old: node({}, { taints: [{ key: 'k', effect: 'NoSchedule' }] }),
      },
      'node "n1" is not allowed to modify taints',
    ],
    ['a token for its pod', { of: '/serviceaccounts', subresource: 'token', object: token(bound('p', 'u1')) }, ''],
    [
      'none unbound',
      { of: '/serviceaccounts', subresource: 'token', object: token() },
      'node requested token not bound to a pod',
    ],
    [
      'none without uid',
      { of: '/serviceaccounts', subresource: 'token', object: token(bound('p', '')) },
      'node requested token with a pod binding without a uid',
    ],
    [
      'none for another pod of the name',
      { of: '/serviceaccounts', subresource: 'token', object: token(bound('p', 'u9')) },
      'the UID in the bound object reference (u9) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      'none for pods elsewhere',
      { of: '/serviceaccounts', subresource: 'token', object: token(bound('o', 'u2')) },
      'node requested token bound to a pod scheduled on a different node',
    ],
    [
      'its lease',
      { of: 'coordination.k8s.io/leases', namespace: 'kube-node-lease', object: object({ metadata: { name: 'n1' } }) },
      '',
    ],
    [
      'no other lease',
      { of: 'coordination.k8s.io/leases', namespace: 'kube-node-lease', object: object({ metadata: { name: 'n2' } }) },
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'no lease elsewhere',
      { of: 'coordination.k8s.io/leases', object: object({ metadata: { name: 'n1' } }) },
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [
      'no other CSINode',
      { of: 'storage.k8s.io/csinodes', object: object({ metadata: { name: 'n2' } }) },
      'can only access CSINode with the same name as the requesting node',
    ],
    [
      'no slices of others',
      { of: 'resource.k8s.io/resourceslices', object: object({ metadata: {}, spec: { nodeName: 'n2' } }) },
      'can only create ResourceSlice with the same NodeName as the requesting node',
    ],
    [
      'only the status of claims',
      { of: '/persistentvolumeclaims', operation: 'UPDATE', object: object({}), old: object({}) },
      'may only update PVC status',
    ],
    [
      'only how claims have grown',
      {
        of: '/persistentvolumeclaims',
        operation: 'UPDATE',
        subresource: 'status',
        object: object({ status: { phase: 'Bound' } }),
        old: object({ status: { capacity: {} } }),
      },
      'node "n1" is not allowed to update fields other than status.capacity and status.conditions',
    ],
  ])('lets a node write %s', (_, given, expected) => {
    expect(against(plugin, given)).toBe(expected);
  });

  it('concerns nobody else', () => {
    const user = { name: 'system:node:n1', uid: '', groups: [], extra: {} };
    expect(against(plugin, { of: '/pods', object: ownPod, user })).toBe('');
  });
});

describe('certificates', () => {
  const of = 'certificates.k8s.io/certificatesigningrequests';
  const CLIENT = 'kubernetes.io/kube-apiserver-client';
  let master = '';
  let kubelet = '';

  async function made(name: string): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const importKey = (key: typeof privateKey, usage: 'sign' | 'verify') =>
      crypto.subtle.importKey('jwk', key.export({ format: 'jwk' }), algorithm, true, [usage]);
    const keys = { privateKey: await importKey(privateKey, 'sign'), publicKey: await importKey(publicKey, 'verify') };
    const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
    return Buffer.from(request.toString('pem')).toString('base64');
  }
  beforeAll(async () => {
    master = await made('O=dev, O=system:masters, CN=me');
    kubelet = await made('O=system:nodes, CN=system:node:n2');
  });

  it('have a subject that can be read', () => {
    expect(requestedSubject(master)).toEqual({ commonName: 'me', organizations: ['dev', 'system:masters'] });
    expect(() => requestedSubject('bm8=')).toThrow('PEM block type must be CERTIFICATE REQUEST');
  });

  const csr = (request: string, signerName = CLIENT, more: object = {}): ApiObject =>
    object({ spec: { request, signerName }, ...more });
  it('make nobody a superuser', () => {
    const plugin = certificateSubjectRestriction;
    expect(against(plugin, { of, object: csr(master) })).toBe(
      `use of ${CLIENT} signer with system:masters group is not allowed`,
    );
    expect(against(plugin, { of, object: csr(master, 'example.com/own') })).toBe('');
    expect(against(plugin, { of, object: csr(kubelet) })).toBe('');
    expect(against(plugin, { of, object: csr('bm8=') })).toContain('failed to parse CSR');
  });

  it('are asked for by a node for itself only', () => {
    const plugin = nodeRestriction(reader);
    expect(against(plugin, { of, object: csr(kubelet, 'kubernetes.io/kubelet-serving') })).toBe(
      'can only create a node CSR with CN=system:node:n1',
    );
    const user = { name: 'system:node:n2', uid: '', groups: ['system:nodes'], extra: {} };
    expect(against(plugin, { of, object: csr(kubelet, 'kubernetes.io/kubelet-serving'), user })).toBe('');
  });

  const allowing = (right: string): Authorizer => ({
    authorize: ({ verb, resource, name }) =>
      `${verb} ${resource} ${name}` === right ? { kind: 'allow', reason: '' } : { kind: 'noOpinion', reason: '' },
  });
  it('are approved and signed by those who may for the signer', () => {
    const old = csr(kubelet, 'example.com/own');
    const approve = { of, operation: 'UPDATE', subresource: 'approval', object: old, old } as const;
    expect(against(certificateApproval(allowing('approve signers example.com/own')), approve)).toBe('');
    expect(against(certificateApproval(allowing('approve signers example.com/*')), approve)).toBe('');
    expect(against(certificateApproval(allowing('sign signers example.com/own')), approve)).toBe(
      'user not permitted to approve requests with signerName "example.com/own"',
    );
    const sign = {
      of,
      operation: 'UPDATE',
      subresource: 'status',
      old,
      object: csr(kubelet, 'example.com/own', { status: { certificate: 'x' } }),
    } as const;
    expect(against(certificateSigning(allowing('sign signers example.com/own')), sign)).toBe('');
    expect(against(certificateSigning(allowing('')), sign)).toBe(
      'user not permitted to sign requests with signerName "example.com/own"',
    );
    expect(against(certificateSigning(allowing('')), { ...sign, object: old })).toBe('');
  });

  it('are trusted on the word of those who may attest', () => {
    const bundles = 'certificates.k8s.io/clustertrustbundles';
    const bundle = (signerName: string | undefined, trustBundle = 'a'): ApiObject =>
      object({ metadata: {}, spec: { signerName, trustBundle } });
    const plugin = clusterTrustBundleAttest(allowing('attest signers example.com/own'));
    expect(against(plugin, { of: bundles, object: bundle('example.com/own') })).toBe('');
    expect(against(plugin, { of: bundles, object: bundle(undefined) })).toBe('');
    expect(against(plugin, { of: bundles, object: bundle('other.com/x') })).toBe(
      'user not permitted to attest for signerName "other.com/x"',
    );
    expect(against(plugin, { of: bundles, operation: 'UPDATE', object: bundle('a.b/c'), old: bundle('d.e/f') })).toBe(
      'changing signerName is forbidden',
    );
    expect(against(plugin, { of: bundles, operation: 'UPDATE', object: bundle('a.b/c'), old: bundle('a.b/c') })).toBe(
      '',
    );
  });
});

import {
  type ApiObject,
  type CertificateSigningRequest,
  type ClusterTrustBundle,
  forbidden,
  type StatusError,
} from '@wherry/api';
import type { Authorizer } from '../auth/attributes.ts';
import { sameValue } from '../kinds/equality.ts';
import { requestedSubject } from './certificate-request.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

const GROUP = 'certificates.k8s.io';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const requests = [`${GROUP}/certificatesigningrequests`];

/** Who approves or denies requests must be allowed to for their signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    resources: requests,
    validate(attributes) {
      const { operation, subresource, old } = attributes;
      if (operation !== 'UPDATE' || subresource !== 'approval') {
        return;
      }
      // The old one: the signer cannot be changed on the way.
      const signer = (old as CertificateSigningRequest).spec.signerName;
      if (!mayFor(attributes, 'approve', signer, authorizer)) {
        throw refuse(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}

/** The same for who signs them. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    resources: requests,
    validate(attributes) {
      const { operation, subresource } = attributes;
      if (operation !== 'UPDATE' || subresource !== 'status') {
        return;
      }
      const next = attributes.object as CertificateSigningRequest;
      const old = attributes.old as CertificateSigningRequest;
      const signer = old.spec.signerName;
      const isUnchanged =
        next.status?.certificate === old.status?.certificate &&
        sameValue(next.status?.conditions ?? [], old.status?.conditions ?? []);
      if (!isUnchanged && !mayFor(attributes, 'sign', signer, authorizer)) {
        throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}

/** Nobody becomes a superuser by asking for a client certificate. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  resources: requests,
  validate(attributes) {
    const { spec } = (attributes.object ?? {}) as CertificateSigningRequest;
    if (attributes.operation !== 'CREATE' || attributes.subresource !== '' || spec.signerName !== CLIENT_SIGNER) {
      return;
    }
    if (organizationsOf(attributes, spec.request).includes('system:masters')) {
      throw refuse(attributes, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`);
    }
  },
};

function organizationsOf(attributes: AdmissionAttributes, request: string): readonly string[] {
  try {
    return requestedSubject(request).organizations;
  } catch (error) {
    throw refuse(attributes, `failed to parse CSR: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whose bundles are to be trusted for a signer is for those to say who may attest for it. */
export function clusterTrustBundleAttest(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ClusterTrustBundleAttest',
    resources: [`${GROUP}/clustertrustbundles`],
    validate(attributes) {
      if (attributes.operation === 'DELETE') {
        return;
      }
      const { spec } = attributes.object as ClusterTrustBundle;
      const old = attributes.old as ClusterTrustBundle | undefined;
      const signer = spec.signerName ?? '';
      if (old !== undefined && (old.spec.signerName ?? '') !== signer) {
        throw refuse(attributes, 'changing signerName is forbidden');
      }
      const isOnlyKept = old !== undefined && sameValue(collectable(old), collectable(attributes.object));
      if (signer !== '' && !isOnlyKept && !mayFor(attributes, 'attest', signer, authorizer)) {
        throw refuse(attributes, `user not permitted to attest for signerName ${JSON.stringify(signer)}`);
      }
    },
  };
}

/** Without what the garbage collector writes. */
function collectable(object: ApiObject | undefined): object {
  const { metadata = {}, ...rest } = object ?? {};
  const { finalizers: _f, ownerReferences: _o, managedFields: _m, resourceVersion: _r, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** Rights are given for a signer, or for all of a domain as `example.com/*`. */
function mayFor(attributes: AdmissionAttributes, verb: string, signer: string, authorizer: Authorizer): boolean {
  const domain = signer.split('/')[0] ?? '';
  return [signer, `${domain}/*`].some(
    (name) =>
      authorizer.authorize({
        user: attributes.user,
        verb,
        isResourceRequest: true,
        group: GROUP,
        version: '*',
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
        path: '',
        fields: [],
      }).kind === 'allow',
  );
}

function refuse({ stored, object, name }: AdmissionAttributes, text: string): StatusError {
  return forbidden(stored, object?.metadata?.name ?? name, text);
}

// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface ClusterTrustBundle {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec: ClusterTrustBundleSpec;
}

export interface ClusterTrustBundleList {
  readonly apiVersion?: string;
  readonly items: readonly ClusterTrustBundle[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface ClusterTrustBundleSpec {
  readonly signerName?: string;
  readonly trustBundle: string;
}

export interface PodCertificateRequest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec: PodCertificateRequestSpec;
  readonly status?: PodCertificateRequestStatus;
}

export interface PodCertificateRequestList {
  readonly apiVersion?: string;
  readonly items: readonly PodCertificateRequest[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface PodCertificateRequestSpec {
  readonly maxExpirationSeconds?: number;
  readonly nodeName: string;
  readonly nodeUID: string;
  readonly pkixPublicKey: string;
  readonly podName: string;
  readonly podUID: string;
  readonly proofOfPossession: string;
  readonly serviceAccountName: string;
  readonly serviceAccountUID: string;
  readonly signerName: string;
}

export interface PodCertificateRequestStatus {
  readonly beginRefreshAt?: string;
  readonly certificateChain?: string;
  readonly conditions?: readonly metaV1.Condition[];
  readonly notAfter?: string;
  readonly notBefore?: string;
}

// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface LeaseCandidate {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec?: LeaseCandidateSpec;
}

export interface LeaseCandidateList {
  readonly apiVersion?: string;
  readonly items: readonly LeaseCandidate[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface LeaseCandidateSpec {
  readonly binaryVersion: string;
  readonly emulationVersion?: string;
  readonly leaseName: string;
  readonly pingTime?: string;
  readonly renewTime?: string;
  readonly strategy: string;
}

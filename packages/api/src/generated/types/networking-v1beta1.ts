// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface IPAddress {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec?: IPAddressSpec;
}

export interface IPAddressList {
  readonly apiVersion?: string;
  readonly items: readonly IPAddress[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface IPAddressSpec {
  readonly parentRef: ParentReference;
}

export interface ParentReference {
  readonly group?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly resource: string;
}

export interface ServiceCIDR {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec?: ServiceCIDRSpec;
  readonly status?: ServiceCIDRStatus;
}

export interface ServiceCIDRList {
  readonly apiVersion?: string;
  readonly items: readonly ServiceCIDR[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface ServiceCIDRSpec {
  readonly cidrs?: readonly string[];
}

export interface ServiceCIDRStatus {
  readonly conditions?: readonly metaV1.Condition[];
}

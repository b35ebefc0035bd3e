// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface CELDeviceSelector {
  readonly expression: string;
}

export interface DeviceSelector {
  readonly cel?: CELDeviceSelector;
}

export interface DeviceTaint {
  readonly effect: string;
  readonly key: string;
  readonly timeAdded?: string;
  readonly value?: string;
}

export interface DeviceTaintRule {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec: DeviceTaintRuleSpec;
}

export interface DeviceTaintRuleList {
  readonly apiVersion?: string;
  readonly items: readonly DeviceTaintRule[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface DeviceTaintRuleSpec {
  readonly deviceSelector?: DeviceTaintSelector;
  readonly taint: DeviceTaint;
}

export interface DeviceTaintSelector {
  readonly device?: string;
  readonly deviceClassName?: string;
  readonly driver?: string;
  readonly pool?: string;
  readonly selectors?: readonly DeviceSelector[];
}

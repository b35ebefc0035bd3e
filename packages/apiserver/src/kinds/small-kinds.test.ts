// Kinds with few rules: PriorityClass, RuntimeClass, Lease, and those whose features are still to come.
import type {
  APIService,
  CustomResourceDefinition,
  FlowSchema,
  Lease,
  LeaseCandidate,
  PriorityClass,
  PriorityLevelConfiguration,
  ResourceClaim,
  ResourceSlice,
  RuntimeClass,
  StorageVersionMigration,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import {
  validatingAdmissionPolicyBindingStrategy,
  validatingWebhookStrategy,
} from './admissionregistration/webhooks.ts';
import { leaseCandidateStrategy, leaseStrategy } from './coordination/lease.ts';
import { resourceClaimStrategy, resourceSliceStrategy } from './devices/strategy.ts';
import { apiServiceStrategy, customResourceDefinitionStrategy } from './extension/strategy.ts';
import { flowSchemaStrategy, priorityLevelStrategy } from './flowcontrol/strategy.ts';
import { runtimeClassStrategy } from './node/runtime-class.ts';
import { priorityClassStrategy, systemPriorityClasses } from './scheduling/priority-class.ts';
import { clusterTrustBundleStrategy, storageVersionMigrationStrategy } from './server/strategy.ts';
import { createRefusals, received, row, updateRefusals } from './validation-cases.ts';

const metadata = { name: 'x' };

describe('a PriorityClass', () => {
  const priorityClass = (value: number, name = 'high'): PriorityClass => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
  });

  it('of the system is what the system knows', () => {
    for (const known of systemPriorityClasses) expect(createRefusals(priorityClassStrategy, known)).toEqual([]);
    const reserved =
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only.";
    expect(createRefusals(priorityClassStrategy, priorityClass(1, 'system-x'))).toEqual([
      `${reserved} error: system-x is not a known system priority class`,
    ]);
    expect(createRefusals(priorityClassStrategy, priorityClass(1, 'system-node-critical'))).toEqual([
      `${reserved} error: value of system-node-critical PriorityClass must be 2000001000`,
    ]);
  });

  it('of users is below the system’s and keeps its value', () => {
    expect(createRefusals(priorityClassStrategy, priorityClass(1_000_000_000))).toEqual([]);
    expect(createRefusals(priorityClassStrategy, priorityClass(1_000_000_001))).toEqual([
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ]);
    expect(updateRefusals(priorityClassStrategy, received(priorityClass(1)), priorityClass(2))).toEqual([
      'value: Forbidden: may not be changed in an update.',
    ]);
    expect(row(priorityClassStrategy, received(priorityClass(7)))).toMatchObject({
      Value: 7,
      'Global-Default': false,
      PreemptionPolicy: 'PreemptLowerPriority',
    });
  });
});

it('a RuntimeClass keeps its handler', () => {
  const runtimeClass: RuntimeClass = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata, handler: 'runc' };
  expect(createRefusals(runtimeClassStrategy, runtimeClass)).toEqual([]);
  expect(createRefusals(runtimeClassStrategy, { ...runtimeClass, handler: 'a.b' })).toEqual([
    'handler: Invalid value: "a.b": must not contain dots',
  ]);
  expect(updateRefusals(runtimeClassStrategy, runtimeClass, { ...runtimeClass, handler: 'kata' })).toEqual([
    'handler: Invalid value: "kata": field is immutable',
  ]);
  expect(row(runtimeClassStrategy, runtimeClass)).toMatchObject({ Handler: 'runc' });
});

describe('a Lease', () => {
  const lease = (spec: Lease['spec']): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    ...(spec === undefined ? {} : { spec }),
  });

  it('is for some time', () => {
    expect(createRefusals(leaseStrategy, lease({ holderIdentity: 'me', leaseDurationSeconds: 15 }))).toEqual([]);
    expect(createRefusals(leaseStrategy, lease({ leaseDurationSeconds: 0, leaseTransitions: -1 }))).toEqual([
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect(row(leaseStrategy, lease({ holderIdentity: 'me' }))).toMatchObject({ Holder: 'me' });
  });

  it('has candidates', () => {
    const candidate: LeaseCandidate = {
      apiVersion: 'coordination.k8s.io/v1beta1',
      kind: 'LeaseCandidate',
      metadata,
      spec: { leaseName: 'l', binaryVersion: '', strategy: 'OldestEmulationVersion' },
    };
    expect(createRefusals(leaseCandidateStrategy, candidate)).toEqual(['spec.binaryVersion: Required value']);
    expect(row(leaseCandidateStrategy, candidate)).toMatchObject({ LeaseName: 'l' });
  });
});

it('a webhook has a name, an address and patience', () => {
  const configuration: ValidatingWebhookConfiguration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata,
    webhooks: [
      {
        name: 'short',
        admissionReviewVersions: ['v1'],
        sideEffects: 'Some',
        timeoutSeconds: 31,
        clientConfig: { url: 'http://a.example' },
      },
    ],
  };
  expect(createRefusals(validatingWebhookStrategy, configuration)).toEqual([
    'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
    'webhooks[0].clientConfig.url: Invalid value: "http://a.example": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
  ]);
  expect(row(validatingWebhookStrategy, configuration)).toMatchObject({ Webhooks: 1 });
});

it('a policy binding names its policy and what follows', () => {
  const binding: ValidatingAdmissionPolicyBinding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { paramRef: { name: 'n' } },
  };
  expect(createRefusals(validatingAdmissionPolicyBindingStrategy, binding)).toEqual([
    'spec.policyName: Required value',
    'spec.validationActions: Required value',
  ]);
  expect(row(validatingAdmissionPolicyBindingStrategy, binding)).toMatchObject({ ParamRef: '*/n' });
});

it('an APIService is named after what it serves', () => {
  const service: APIService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.metrics.example' },
    spec: { group: 'metrics.example', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 },
  };
  expect(createRefusals(apiServiceStrategy, service)).toEqual([]);
  expect(createRefusals(apiServiceStrategy, { ...service, metadata })).toEqual([
    'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.metrics.example"',
  ]);
  const status = { conditions: [{ type: 'Available', status: 'False', reason: 'Gone' }] };
  expect(row(apiServiceStrategy, { ...service, status })).toMatchObject({
    Service: 'Local',
    Available: 'False (Gone)',
  });
});

it('a CustomResourceDefinition is named after its plural and stores one version', () => {
  const definition: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata,
    spec: {
      group: 'a.example',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
  expect(createRefusals(customResourceDefinitionStrategy, definition)).toEqual([
    'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
  ]);
});

it('flow control has levels and schemas', () => {
  const schema: FlowSchema = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata,
    spec: { matchingPrecedence: 10_001, priorityLevelConfiguration: { name: 'global-default' } },
  };
  expect(createRefusals(flowSchemaStrategy, schema)).toEqual([
    'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
  ]);
  expect(row(flowSchemaStrategy, schema)).toMatchObject({ PriorityLevel: 'global-default', MissingPL: '?' });
  const level: PriorityLevelConfiguration = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata,
    spec: { type: 'Exempt' },
  };
  expect(createRefusals(priorityLevelStrategy, level)).toEqual([
    'spec.type: Invalid value: "Exempt": type must be \'Limited\' for other priority levels',
  ]);
});

it('devices are claimed once and for all', () => {
  const claim = (name: string): ResourceClaim => ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata,
    spec: { devices: { requests: [{ name, exactly: { deviceClassName: 'gpu' } }] } },
  });
  expect(createRefusals(resourceClaimStrategy, claim(''))).toEqual(['spec.devices.requests[0].name: Required value']);
  expect(updateRefusals(resourceClaimStrategy, claim('a'), claim('b'))).toHaveLength(1);
  expect(row(resourceClaimStrategy, { ...claim('a'), status: { allocation: {} } })).toMatchObject({
    State: 'allocated',
  });
  const slice: ResourceSlice = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata,
    spec: { driver: 'gpu.example', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, nodeName: 'n' },
  };
  expect(resourceSliceStrategy.fieldSelectors?.['spec.nodeName']?.(slice)).toBe('n');
});

it('a trust bundle of a signer is named after it', () => {
  expect(clusterTrustBundleStrategy.validateName?.('a.example:s:one', false)).toEqual([]);
  const bundle = {
    apiVersion: 'certificates.k8s.io/v1beta1',
    kind: 'ClusterTrustBundle',
    metadata,
    spec: { signerName: 'a.example/s', trustBundle: 'pem' },
  };
  expect(createRefusals(clusterTrustBundleStrategy, bundle)).toEqual([
    'metadata.name: Invalid value: "x": ClusterTrustBundle for signerName a.example/s must be named with prefix a.example:s:',
  ]);
});

it('a migration says what it migrates', () => {
  const migration: StorageVersionMigration = {
    apiVersion: 'storagemigration.k8s.io/v1alpha1',
    kind: 'StorageVersionMigration',
    metadata,
    spec: { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
  };
  expect(createRefusals(storageVersionMigrationStrategy, migration)).toEqual([]);
  expect(row(storageVersionMigrationStrategy, migration)).toMatchObject({ Resource: 'deployments.v1.apps' });
});

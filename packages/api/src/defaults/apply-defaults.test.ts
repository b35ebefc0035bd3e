import { describe, expect, it } from 'vitest';
import { decodeObject } from '../facts/decode.ts';
import { facts } from '../facts/table.ts';
import { applyDefaults } from './apply-defaults.ts';
import { defaultPullPolicy } from './image.ts';

function defaulted(groupVersion: string, kind: string, value: object): unknown {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  const node = facts.ofKind(group, version, kind);
  if (node === undefined) throw new Error(`no facts for ${groupVersion} ${kind}`);
  const { object, error } = decodeObject(node, structuredClone(value), { fieldValidation: 'Strict' });
  expect(error).toBeUndefined();
  return applyDefaults(group, version, kind, object);
}

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] } };
const templateDefaulted = {
  metadata: { labels: { app: 'a' } },
  spec: {
    containers: [
      {
        name: 'c',
        image: 'nginx:1.27',
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        resources: {},
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
  },
};
const selector = { matchLabels: { app: 'a' } };

describe('applyDefaults', () => {
  it('gives a pod everything upstream gives it', () => {
    const pod = defaulted('v1', 'Pod', {
      spec: {
        hostNetwork: true,
        volumes: [
          { name: 'empty' },
          { name: 'secret', secret: { secretName: 's' } },
          { name: 'host', hostPath: { path: '/x' } },
          { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
        ],
        containers: [
          {
            name: 'c',
            image: 'nginx',
            ports: [{ containerPort: 80 }],
            env: [{ name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100u' } },
            readinessProbe: { httpGet: { port: 80 } },
            livenessProbe: { grpc: { port: 1 }, timeoutSeconds: 5 },
            lifecycle: { preStop: { httpGet: { port: 'http', path: '/bye' } } },
          },
        ],
      },
    });
    const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
    expect(pod).toEqual({
      metadata: {},
      status: {},
      spec: {
        ...templateDefaulted.spec,
        enableServiceLinks: true,
        hostNetwork: true,
        volumes: [
          { name: 'empty', emptyDir: {} },
          { name: 'secret', secret: { secretName: 's', defaultMode: 420 } },
          { name: 'host', hostPath: { path: '/x', type: '' } },
          {
            name: 'token',
            projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] },
          },
        ],
        containers: [
          {
            name: 'c',
            image: 'nginx',
            imagePullPolicy: 'Always',
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
            env: [{ name: 'N', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1m', memory: '1Gi' } },
            readinessProbe: { ...probe, httpGet: { port: 80, path: '/', scheme: 'HTTP' } },
            livenessProbe: { ...probe, timeoutSeconds: 5, grpc: { port: 1, service: '' } },
            lifecycle: { preStop: { httpGet: { port: 'http', path: '/bye', scheme: 'HTTP' } } },
          },
        ],
      },
    });
  });

  it('takes pod-level requests from containers, then from limits', () => {
    const resources = { limits: { cpu: '2', memory: '1Gi' } };
    const containers = [{ name: 'c', resources: { requests: { cpu: '300m' } } }];
    expect(defaulted('v1', 'Pod', { spec: { resources, containers } })).toMatchObject({
      spec: { resources: { ...resources, requests: { cpu: '300m', memory: '1Gi' } } },
    });
  });

  it('gives templates no service links and no host ports', () => {
    const hosted = { spec: { hostNetwork: true, containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } };
    const result = defaulted('v1', 'PodTemplate', { template: hosted });
    expect(result).not.toHaveProperty('template.spec.enableServiceLinks');
    expect(result).not.toHaveProperty('template.spec.containers.0.ports.0.hostPort');
    expect(result).toHaveProperty('template.spec.containers.0.ports.0.protocol', 'TCP');
  });

  it.each([
    [
      'apps/v1',
      'Deployment',
      { spec: { selector, template } },
      {
        replicas: 1,
        selector,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: templateDefaulted,
      },
    ],
    [
      'apps/v1',
      'Deployment',
      { spec: { replicas: 0, selector, strategy: { type: 'Recreate' }, template } },
      {
        replicas: 0,
        selector,
        strategy: { type: 'Recreate' },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: templateDefaulted,
      },
    ],
    ['apps/v1', 'ReplicaSet', { spec: { selector, template } }, { replicas: 1, selector, template: templateDefaulted }],
    [
      'apps/v1',
      'DaemonSet',
      { spec: { selector, template } },
      {
        selector,
        template: templateDefaulted,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        revisionHistoryLimit: 10,
      },
    ],
    [
      'batch/v1',
      'Job',
      {
        metadata: { labels: { own: 'x' } },
        spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      },
      {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: 'TerminatingOrFailed',
        template: { ...templateDefaulted, spec: { ...templateDefaulted.spec, restartPolicy: 'Never' } },
      },
    ],
  ])('%s %s %#', (groupVersion, kind, given, spec) => {
    expect(defaulted(groupVersion, kind, given)).toHaveProperty('spec', spec);
  });

  it.each([
    ['v1', 'Secret', {}, { type: 'Opaque' }],
    [
      'v1',
      'Namespace',
      { metadata: { name: 'n' } },
      { metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } }, status: { phase: 'Active' } },
    ],
    ['v1', 'PersistentVolumeClaim', { spec: {} }, { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    [
      'v1',
      'PersistentVolume',
      { spec: { hostPath: { path: '/x' } } },
      {
        spec: { volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain', hostPath: { type: '' } },
        status: { phase: 'Pending' },
      },
    ],
    ['v1', 'Node', { status: { capacity: { cpu: '4' } } }, { status: { allocatable: { cpu: '4' } } }],
    ['v1', 'Endpoints', { subsets: [{ ports: [{ port: 1 }] }] }, { subsets: [{ ports: [{ protocol: 'TCP' }] }] }],
    [
      'v1',
      'LimitRange',
      { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
      { spec: { limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }] } },
    ],
    [
      'v1',
      'ReplicationController',
      { spec: { template } },
      { metadata: { labels: { app: 'a' } }, spec: { replicas: 1, selector: { app: 'a' } } },
    ],
    [
      'apps/v1',
      'StatefulSet',
      { spec: { selector, template, serviceName: 's', volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] } },
      {
        spec: {
          podManagementPolicy: 'OrderedReady',
          replicas: 1,
          revisionHistoryLimit: 10,
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
          volumeClaimTemplates: [
            { kind: 'PersistentVolumeClaim', spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
          ],
        },
      },
    ],
    [
      'batch/v1',
      'Job',
      { spec: { template, parallelism: 3, backoffLimitPerIndex: 1 } },
      { metadata: { labels: { app: 'a' } }, spec: { parallelism: 3, backoffLimit: 2147483647 } },
    ],
    [
      'batch/v1',
      'CronJob',
      { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } },
      {
        spec: {
          concurrencyPolicy: 'Allow',
          suspend: false,
          successfulJobsHistoryLimit: 3,
          failedJobsHistoryLimit: 1,
          jobTemplate: { spec: { template: templateDefaulted } },
        },
      },
    ],
    [
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      { spec: { maxReplicas: 3, behavior: { scaleDown: { selectPolicy: 'Min' } } } },
      {
        spec: {
          minReplicas: 1,
          metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
          behavior: {
            scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ value: 4 }, { value: 100 }] },
            scaleDown: { selectPolicy: 'Min', policies: [{ value: 100 }] },
          },
        },
      },
    ],
    [
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      {
        roleRef: { kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount' }],
      },
    ],
    [
      'networking.k8s.io/v1',
      'NetworkPolicy',
      { spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } },
      { spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP' }] }] } },
    ],
    [
      'storage.k8s.io/v1',
      'StorageClass',
      { provisioner: 'p' },
      { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    ],
    ['scheduling.k8s.io/v1', 'PriorityClass', { value: 1 }, { preemptionPolicy: 'PreemptLowerPriority' }],
    [
      'discovery.k8s.io/v1',
      'EndpointSlice',
      { addressType: 'IPv4', endpoints: [], ports: [{ port: 1 }] },
      { endpoints: [], ports: [{ name: '', protocol: 'TCP', port: 1 }] },
    ],
    [
      'admissionregistration.k8s.io/v1',
      'ValidatingWebhookConfiguration',
      { webhooks: [{ name: 'w', clientConfig: { service: { name: 's', namespace: 'n' } }, rules: [{}] }] },
      {
        webhooks: [
          {
            failurePolicy: 'Fail',
            matchPolicy: 'Equivalent',
            timeoutSeconds: 10,
            namespaceSelector: {},
            objectSelector: {},
            clientConfig: { service: { port: 443 } },
            rules: [{ scope: '*' }],
          },
        ],
      },
    ],
    [
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { spec: { names: { kind: 'Foo', plural: 'foos' } } },
      {
        spec: {
          scope: 'Namespaced',
          names: { singular: 'foo', listKind: 'FooList' },
          conversion: { strategy: 'None' },
        },
      },
    ],
    [
      'resource.k8s.io/v1',
      'ResourceClaim',
      { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'd' } }] } } },
      { spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } } },
    ],
    [
      'flowcontrol.apiserver.k8s.io/v1',
      'PriorityLevelConfiguration',
      { spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } } },
      {
        spec: {
          limited: {
            nominalConcurrencyShares: 30,
            lendablePercent: 0,
            limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
          },
        },
      },
    ],
  ])('%s %s', (groupVersion, kind, given, expected) => {
    expect(defaulted(groupVersion, kind, given)).toMatchObject(expected);
  });

  it.each([
    [{}, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' }],
    [
      { type: 'ExternalName', externalName: 'x.y' },
      { type: 'ExternalName', externalName: 'x.y', sessionAffinity: 'None' },
    ],
    [
      { type: 'NodePort', ports: [{ port: 80 }, { port: 81, targetPort: 'web', protocol: 'UDP' }] },
      {
        type: 'NodePort',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        externalTrafficPolicy: 'Cluster',
        ports: [
          { port: 80, protocol: 'TCP', targetPort: 80 },
          { port: 81, targetPort: 'web', protocol: 'UDP' },
        ],
      },
    ],
    [
      { sessionAffinity: 'ClientIP', type: 'LoadBalancer' },
      {
        type: 'LoadBalancer',
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
        internalTrafficPolicy: 'Cluster',
        externalTrafficPolicy: 'Cluster',
        allocateLoadBalancerNodePorts: true,
      },
    ],
  ])('Service %#', (given, spec) => {
    expect(defaulted('v1', 'Service', { spec: given })).toHaveProperty('spec', spec);
  });

  it('leaves kinds without defaults alone', () => {
    expect(defaulted('v1', 'ConfigMap', { data: { a: 'b' } })).toEqual({ metadata: {}, data: { a: 'b' } });
  });

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['localhost:5000/nginx', 'Always'],
    ['localhost:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:abc', 'IfNotPresent'],
    ['nginx:latest@sha256:abc', 'Always'],
    ['', 'IfNotPresent'],
  ])('pull policy of %s is %s', (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy);
  });
});

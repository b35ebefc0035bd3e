import type { Pod } from '@wherry/api';

const token = 'kube-api-access-9xkzt';
const startedAt = '2026-01-05T10:15:02Z';
const condition = (type: string) => ({
  type,
  status: 'True',
  lastTransitionTime: startedAt,
  observedGeneration: 1,
});

/** A running Pod of a Deployment, as a cluster holds thousands of: about 3 KiB of JSON. */
export function samplePod(number: number): Pod & { readonly metadata: { readonly name: string } } {
  const name = `web-6d4cf56db6-${String(number).padStart(5, '0')}`;
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      generateName: 'web-6d4cf56db6-',
      namespace: 'default',
      uid: '3e64b0a6-1f7b-4f2e-9c70-0c8d2f6f3b11',
      resourceVersion: String(1000 + number),
      generation: 1,
      creationTimestamp: '2026-01-05T10:15:00Z',
      labels: { app: 'web', 'pod-template-hash': '6d4cf56db6', 'app.kubernetes.io/part-of': 'shop' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web-6d4cf56db6',
          uid: '8a5d0b7e-42a9-4a53-bb0a-d9b5a5b3c1f0',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      volumes: [
        {
          name: token,
          projected: {
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
            defaultMode: 420,
          },
        },
      ],
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/shop/web:1.42.0',
          command: ['/usr/bin/web', '--listen=:8080'],
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          env: [
            { name: 'DATABASE_URL', value: 'postgres://db.default.svc:5432/shop' },
            { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          ],
          resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
          volumeMounts: [{ name: token, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          readinessProbe: {
            httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      nodeName: 'node-2',
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {
      observedGeneration: 1,
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      hostIP: '172.18.0.3',
      hostIPs: [{ ip: '172.18.0.3' }],
      podIP: '10.244.1.17',
      podIPs: [{ ip: '10.244.1.17' }],
      startTime: startedAt,
      containerStatuses: [
        {
          name: 'web',
          state: { running: { startedAt } },
          lastState: {},
          ready: true,
          restartCount: 0,
          image: 'registry.example.com/shop/web:1.42.0',
          imageID:
            'registry.example.com/shop/web@sha256:9b2f1c6e5a0d4e8f7c3b2a1908f7e6d5c4b3a29180f7e6d5c4b3a2918f7e6d5c',
          containerID: 'docker://4f1d0c9b8a7f6e5d4c3b2a190f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c',
          started: true,
        },
      ],
      qosClass: 'Burstable',
    },
  } as Pod & { readonly metadata: { readonly name: string } };
}

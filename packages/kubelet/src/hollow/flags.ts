// The command line of a process of hollow nodes: the kubelet's names where the kubelet has them.
import type { FlagSpec } from '@wherry/daemon';

export const hollowFlags = {
  kubeconfig: { kind: 'string', help: 'kubeconfig of an identity that may act as each of the nodes' },
  'hollow-nodes': { kind: 'integer', min: 1, max: 10_000, help: 'number of nodes' },
  'hollow-node-prefix': { kind: 'string', default: 'hollow-node', help: 'nodes are named <prefix>-1, <prefix>-2, …' },
  'node-network': {
    kind: 'string',
    default: '127.128.0.0/16',
    help: 'addresses of the nodes: the first, second, … of this network',
  },
  'node-labels': { kind: 'list', default: ['type=hollow'], help: 'labels to register the nodes with, key=value' },
  'register-with-taints': {
    kind: 'list',
    default: [],
    help: 'taints to register the nodes with, key=value:effect',
  },
  'max-pods': { kind: 'integer', default: 110, min: 1, max: 1000, help: 'pods that may run on a node' },
  cpu: { kind: 'string', default: '32', help: 'CPU of a node as a quantity' },
  memory: { kind: 'string', default: '256Gi', help: 'memory of a node as a quantity' },
  'image-pull-time': { kind: 'duration', default: 0, help: 'time to pull an image that the node lacks' },
  'container-start-time': { kind: 'duration', default: 20, help: 'time to start a container' },
  'container-stop-time': { kind: 'duration', default: 10, help: 'time a container takes to obey SIGTERM' },
  'node-lease-duration-seconds': {
    kind: 'integer',
    default: 40,
    min: 1,
    help: 'life of a node lease; renewed in a quarter of it',
  },
  'status-writers': { kind: 'integer', default: 32, min: 1, max: 256, help: 'pod statuses that are written at once' },
  'event-qps': { kind: 'integer', default: 50, min: 0, help: 'events that all nodes together write a second; 0: none' },
  'event-burst': { kind: 'integer', default: 1_000, min: 0, help: 'events at once beyond that' },
  address: {
    kind: 'string',
    default: '0.0.0.0',
    help: 'address to serve on; the addresses of all nodes must be in it',
  },
  port: { kind: 'integer', default: 10250, min: 1, max: 65_535, help: 'port to serve on, the same for all nodes' },
  'healthz-bind-address': {
    kind: 'string',
    default: '127.0.0.1',
    help: 'address of /healthz and /metrics over plain HTTP',
  },
  'healthz-port': { kind: 'integer', default: 10248, min: 0, max: 65_535, help: 'port of /healthz; 0 switches it off' },
  'tls-cert-file': { kind: 'string', help: 'certificate to serve with, valid for the addresses of all nodes' },
  'tls-private-key-file': { kind: 'string', help: 'its key' },
  'client-ca-file': { kind: 'string', help: 'CA of those who may call' },
} as const satisfies FlagSpec;

// The kubelet's command line: upstream's names where upstream has them, and what virtual nodes need besides.
import type { FlagSpec } from '@wherry/daemon';

export const kubeletFlags = {
  kubeconfig: { kind: 'string', help: 'kubeconfig of this node, user system:node:<name>' },
  'bootstrap-kubeconfig': {
    kind: 'string',
    optional: true,
    help: 'kubeconfig with a bootstrap token, to ask for a client certificate with; then --kubeconfig is written',
  },
  'cert-dir': {
    kind: 'string',
    optional: true,
    help: 'directory of certificates that this node asks for or makes; by default pki in --root-dir',
  },
  'rotate-certificates': {
    kind: 'boolean',
    default: false,
    help: 'ask for a new client certificate before the one in use ends',
  },
  'rotate-server-certificates': {
    kind: 'boolean',
    default: false,
    help: 'serve with a certificate that the cluster signs, and renew it; not with --tls-cert-file',
  },
  'hostname-override': { kind: 'string', help: 'name of the node' },
  'node-ip': { kind: 'string', help: 'address of the node, its InternalIP' },
  'node-labels': { kind: 'list', default: [], help: 'labels to register the node with, key=value' },
  'register-with-taints': {
    kind: 'list',
    default: [],
    help: 'taints to register the node with, key=value:effect',
  },
  'register-node': { kind: 'boolean', default: true, help: 'register the node with the API server' },
  'root-dir': {
    kind: 'string',
    default: '/var/lib/wherry/kubelet',
    help: 'directory for volumes and other files of pods',
  },
  'resolv-conf': { kind: 'string', default: '/etc/resolv.conf', help: 'resolver configuration that pods start from' },
  'cluster-dns': { kind: 'list', default: [], help: 'addresses of the cluster DNS' },
  'cluster-domain': { kind: 'string', default: 'cluster.local', help: 'domain of the cluster' },
  'cluster-cidr': { kind: 'string', optional: true, help: 'network of all pods, never masqueraded' },
  'pod-cidr': {
    kind: 'string',
    optional: true,
    help: 'network of the pods of this node; by default that of its Node object',
  },
  'max-pods': { kind: 'integer', default: 110, min: 1, max: 1000, help: 'pods that may run here' },
  runtime: {
    kind: 'string',
    default: 'docker',
    choices: ['docker', 'hollow'],
    help: 'real containers, or simulated ones',
  },
  'container-runtime-endpoint': { kind: 'string', default: 'unix:///var/run/docker.sock', help: 'the Docker engine' },
  'cluster-name': { kind: 'string', default: 'default', help: 'only containers with this label are touched' },
  'node-container': {
    kind: 'string',
    optional: true,
    help: 'container whose network namespace is this node (found by its labels when absent)',
  },
  cpu: { kind: 'string', optional: true, help: 'CPU of the node as a quantity; by default that of the host' },
  memory: { kind: 'string', optional: true, help: 'memory of the node as a quantity; by default that of the host' },
  'capacity-divisor': {
    kind: 'integer',
    default: 1,
    min: 1,
    help: 'virtual nodes that share the capacity of this host',
  },
  address: { kind: 'string', default: '0.0.0.0', help: 'address to serve on' },
  port: { kind: 'integer', default: 10250, min: 0, max: 65_535, help: 'port to serve on' },
  'healthz-bind-address': {
    kind: 'string',
    default: '127.0.0.1',
    help: 'address of /healthz and /metrics over plain HTTP',
  },
  'healthz-port': { kind: 'integer', default: 10248, min: 0, max: 65_535, help: 'port of /healthz; 0 switches it off' },
  'tls-cert-file': {
    kind: 'string',
    optional: true,
    help: 'certificate to serve with; without it the node makes one or, with --rotate-server-certificates, asks for one',
  },
  'tls-private-key-file': { kind: 'string', optional: true, help: 'its key' },
  'client-ca-file': { kind: 'string', help: 'CA of those who may call' },
  'node-status-update-frequency': { kind: 'duration', default: 10_000, help: 'how often the node is looked at' },
  'node-lease-duration-seconds': {
    kind: 'integer',
    default: 40,
    min: 1,
    help: 'life of the node lease; renewed in a quarter of it',
  },
  'service-drain-period': {
    kind: 'duration',
    default: 2_000,
    help: 'SIGTERM is held back so long for ready pods behind a Service, so that proxies turn away first; 0s as upstream',
  },
} as const satisfies FlagSpec;

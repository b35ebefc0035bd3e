import type { FlagSpec, FlagValues } from '@wherry/daemon';

/** The command line: upstream's names and defaults. */
export const flags = {
  'bind-address': { kind: 'string', default: '0.0.0.0', help: 'address to listen on' },
  'secure-port': { kind: 'integer', default: 6443, min: 0, max: 65_535, help: 'port of HTTPS' },
  'advertise-address': {
    kind: 'string',
    default: '127.0.0.1',
    help: 'address that the cluster reaches this server at',
  },
  'tls-cert-file': { kind: 'string', help: 'serving certificate (PEM)' },
  'tls-private-key-file': { kind: 'string', help: 'key of the serving certificate (PEM)' },
  'client-ca-file': { kind: 'string', help: 'CA that signs client certificates (PEM)' },
  'etcd-servers': { kind: 'list', help: 'addresses of the store: https://host:port, comma separated' },
  'etcd-cafile': { kind: 'string', help: 'CA of the store (PEM)' },
  'etcd-certfile': { kind: 'string', help: 'client certificate for the store (PEM)' },
  'etcd-keyfile': { kind: 'string', help: 'key of the client certificate for the store (PEM)' },
  'etcd-compaction-interval': { kind: 'duration', default: 300_000, help: 'how often history is compacted; 0 never' },
  'service-account-key-file': { kind: 'list', help: 'public keys that service account tokens are verified with (PEM)' },
  'service-account-signing-key-file': { kind: 'string', help: 'private key that signs service account tokens (PEM)' },
  'service-account-issuer': {
    kind: 'string',
    default: 'https://kubernetes.default.svc.cluster.local',
    help: 'issuer of service account tokens',
  },
  'api-audiences': { kind: 'list', optional: true, help: 'audiences this API answers to; the issuer by default' },
  'service-cluster-ip-range': { kind: 'string', default: '10.96.0.0/12', help: 'range of cluster IPs (IPv4 CIDR)' },
  'service-node-port-range': { kind: 'string', default: '30000-32767', help: 'range of node ports' },
  'enable-bootstrap-token-auth': {
    kind: 'boolean',
    default: false,
    help: 'accept the tokens with which hosts join, Secrets of the type bootstrap.kubernetes.io/token in kube-system',
  },
  'authorization-mode': { kind: 'list', default: ['Node', 'RBAC'], help: 'authorizers in order: Node, RBAC' },
  'kubelet-client-certificate': { kind: 'string', optional: true, help: 'client certificate for kubelets (PEM)' },
  'kubelet-client-key': { kind: 'string', optional: true, help: 'key of the client certificate for kubelets (PEM)' },
  'kubelet-certificate-authority': {
    kind: 'string',
    optional: true,
    help: 'CA of the kubelets (PEM); unchecked without',
  },
  'kubelet-preferred-address-types': {
    kind: 'list',
    default: ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'],
    help: 'node addresses to try, in order',
  },
  'default-not-ready-toleration-seconds': {
    kind: 'integer',
    default: 300,
    min: 0,
    help: 'toleration of not-ready nodes',
  },
  'default-unreachable-toleration-seconds': {
    kind: 'integer',
    default: 300,
    min: 0,
    help: 'toleration of unreachable nodes',
  },
  'enable-admission-plugins': {
    kind: 'list',
    default: [],
    help: 'admission plugins to switch on beside those that are on by default',
  },
  'disable-admission-plugins': { kind: 'list', default: [], help: 'admission plugins to switch off' },
  'admission-control-config-file': {
    kind: 'string',
    optional: true,
    help: 'AdmissionConfiguration (YAML): defaults and exemptions of PodSecurity, limitedResources of ResourceQuota',
  },
  'event-ttl': { kind: 'duration', default: 3_600_000, help: 'how long events are kept' },
  'max-requests-inflight': { kind: 'integer', default: 400, min: 1, help: 'reading requests served at one time' },
  'max-mutating-requests-inflight': {
    kind: 'integer',
    default: 200,
    min: 1,
    help: 'writing requests served at one time',
  },
  'scheduler-healthz-url': {
    kind: 'string',
    default: 'http://127.0.0.1:10259/healthz',
    help: 'what `kubectl get componentstatuses` asks for the scheduler',
  },
  'controller-manager-healthz-url': {
    kind: 'string',
    default: 'http://127.0.0.1:10257/healthz',
    help: 'what `kubectl get componentstatuses` asks for the controller manager',
  },
} as const satisfies FlagSpec;

export type ApiserverFlags = FlagValues<typeof flags>;

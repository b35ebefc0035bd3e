/** A certificate that should exist; `name` is its path below `pki/` without `.crt` or `.key`. */
export interface CertificateWish {
  readonly name: string;
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly signedBy: AuthorityName | 'itself';
  readonly usages: readonly ('server' | 'client')[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export type AuthorityName = 'ca' | 'etcd/ca' | 'front-proxy-ca';

export interface ApiserverNames {
  /** Every address clients may use, beside the fixed ones. */
  readonly ipAddresses: readonly string[];
  readonly dnsNames: readonly string[];
  /** First address of the service CIDR. */
  readonly serviceIp: string;
  readonly clusterDomain: string;
}

export interface NodeNames {
  readonly name: string;
  readonly ipAddresses: readonly string[];
}

const authority = (name: AuthorityName, commonName: string): CertificateWish => ({
  name,
  commonName,
  organizations: [],
  signedBy: 'itself',
  usages: [],
  dnsNames: [commonName],
  ipAddresses: [],
});

const client = (name: string, commonName: string, organizations: readonly string[] = []): CertificateWish => ({
  name,
  commonName,
  organizations,
  signedBy: 'ca',
  usages: ['client'],
  dnsNames: [],
  ipAddresses: [],
});

/** The three authorities. Nothing that the cluster CA signs opens the store: it trusts `etcd/ca` alone. */
export const authorities: readonly CertificateWish[] = [
  authority('ca', 'kubernetes'),
  authority('etcd/ca', 'etcd-ca'),
  authority('front-proxy-ca', 'front-proxy-ca'),
];

/** One identity per kind of daemon, with upstream's names, which its bootstrap RBAC rules know. */
export const clientIdentities = {
  admin: client('clients/admin', 'kubernetes-admin', ['system:masters']),
  scheduler: client('clients/scheduler', 'system:kube-scheduler'),
  'controller-manager': client('clients/controller-manager', 'system:kube-controller-manager'),
  proxy: client('clients/proxy', 'system:kube-proxy'),
  dns: client('clients/dns', 'system:coredns'),
} as const;

export interface StoreNames {
  readonly name: string;
  /** Where clients and other members reach it, beside loopback. Names survive a change of addresses. */
  readonly ipAddresses: readonly string[];
  readonly dnsNames: readonly string[];
}

/** A store member's own two certificates, for members on hosts of their own; members on one host share `etcd/server`. */
export function storeWishes({ name, ipAddresses, dnsNames }: StoreNames): readonly CertificateWish[] {
  return (['server', 'peer'] as const).map((door) => ({
    ...client(`etcd/${name}/${door}`, 'store'),
    signedBy: 'etcd/ca',
    usages: ['server', 'client'],
    dnsNames: unique(['localhost', ...dnsNames]),
    ipAddresses: unique(['127.0.0.1', '::1', ...ipAddresses]),
  }));
}

export function controlPlaneWishes(names: ApiserverNames): readonly CertificateWish[] {
  const local = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] };
  const cluster = `kubernetes.default.svc.${names.clusterDomain}`;
  return [
    {
      ...client('apiserver', 'kube-apiserver'),
      usages: ['server'],
      dnsNames: unique([
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        cluster,
        'localhost',
        ...names.dnsNames,
      ]),
      ipAddresses: unique([names.serviceIp, '127.0.0.1', '::1', ...names.ipAddresses]),
    },
    client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', ['system:masters']),
    { ...client('front-proxy-client', 'front-proxy-client'), signedBy: 'front-proxy-ca' },
    { ...client('apiserver-etcd-client', 'kube-apiserver-etcd-client'), signedBy: 'etcd/ca' },
    { ...client('etcd/healthcheck-client', 'kube-etcd-healthcheck-client'), signedBy: 'etcd/ca' },
    // Members dial each other with the certificate they serve, so both usages.
    { ...client('etcd/server', 'store'), signedBy: 'etcd/ca', usages: ['server', 'client'], ...local },
    { ...client('etcd/peer', 'store'), signedBy: 'etcd/ca', usages: ['server', 'client'], ...local },
    ...Object.values(clientIdentities),
  ];
}

/** A node's two certificates: as a client of the API, and as the server that the API server dials for logs and exec. */
export function nodeWishes(node: NodeNames): readonly CertificateWish[] {
  const identity = client(nodeClientName(node.name), `system:node:${node.name}`, ['system:nodes']);
  return [
    identity,
    {
      ...identity,
      name: nodeServingName(node.name),
      usages: ['server'],
      dnsNames: [node.name],
      ipAddresses: node.ipAddresses,
    },
  ];
}

export const nodeClientName = (node: string): string => `nodes/${node}/kubelet-client`;
export const nodeServingName = (node: string): string => `nodes/${node}/kubelet`;

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

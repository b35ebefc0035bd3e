// The two files that decide how names are resolved inside a pod.
import type { HostAlias, Pod } from '@wherry/api';

export interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface ClusterDns {
  readonly nameservers: readonly string[];
  readonly domain: string;
}

const searchesMax = 32;
const nameserversMax = 3;

/** Loopback resolvers belong to another network namespace: Docker's 127.0.0.11, systemd's 127.0.0.53. */
function isReachable(nameserver: string): boolean {
  return !nameserver.startsWith('127.') && nameserver !== '::1';
}

export function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) nameservers.push(values[0]);
    if (keyword === 'search') searches = values;
    if (keyword === 'domain' && searches.length === 0) searches = values;
    if (keyword === 'options') options = [...options, ...values];
  }
  return { nameservers: nameservers.filter(isReachable), searches: searches.filter((name) => name !== '.'), options };
}

function unique(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}

/** The resolver of a pod by its dnsPolicy and dnsConfig. */
export function podResolver(pod: Pod, cluster: ClusterDns, host: ResolverConfig): ResolverConfig {
  const spec = pod.spec;
  let policy = spec?.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'ClusterFirst' && spec?.hostNetwork === true) policy = 'Default';
  if (policy === 'ClusterFirst' && cluster.nameservers.length === 0) policy = 'Default';
  let base: ResolverConfig;
  if (policy === 'None') base = { nameservers: [], searches: [], options: [] };
  else if (policy === 'Default') base = host;
  else {
    const namespace = pod.metadata?.namespace ?? 'default';
    const own =
      cluster.domain === '' ? [] : [`${namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain];
    base = { nameservers: cluster.nameservers, searches: [...own, ...host.searches], options: ['ndots:5'] };
  }
  const extra = spec?.dnsConfig;
  const given = (extra?.options ?? []).map((option) => ({ name: option.name ?? '', value: option.value }));
  const kept = base.options.filter((option) => !given.some((one) => one.name === option.split(':')[0]));
  const added = given.map((option) => (option.value ? `${option.name}:${option.value}` : option.name));
  return {
    nameservers: unique([...base.nameservers, ...(extra?.nameservers ?? [])]).slice(0, nameserversMax),
    searches: unique([...base.searches, ...(extra?.searches ?? [])]).slice(0, searchesMax),
    options: [...kept, ...added],
  };
}

export function formatResolvConf(config: ResolverConfig): string {
  const lines = config.nameservers.map((nameserver) => `nameserver ${nameserver}`);
  if (config.searches.length > 0) lines.unshift(`search ${config.searches.join(' ')}`);
  if (config.options.length > 0) lines.push(`options ${config.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** The pod's host name, and its domain if it has a subdomain. */
export function podHostname(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const spec = pod.spec;
  const name = pod.metadata?.name ?? '';
  // 63 is the longest name that the kernel's and DNS' labels allow.
  const hostname = spec?.hostnameOverride ?? (spec?.hostname || name.slice(0, 63).replace(/[-.]+$/, ''));
  const namespace = pod.metadata?.namespace ?? 'default';
  const subdomain = spec?.subdomain;
  return { hostname, domain: subdomain ? `${subdomain}.${namespace}.svc.${clusterDomain}` : '' };
}

function aliasLines(aliases: readonly HostAlias[] | undefined): string {
  if (aliases === undefined || aliases.length === 0) return '';
  const lines = aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}

const loopback = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'fe00::\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
].join('\n');

/** /etc/hosts of a pod with an address of its own. */
export function podHostsFile(pod: Pod, podIp: string, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const own = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  const header = '# Kubernetes-managed hosts file.\n';
  return `${header}${loopback}\n${podIp}\t${own}\n${aliasLines(pod.spec?.hostAliases)}`;
}

/** /etc/hosts of a pod on the node's network: the node's own file with the pod's aliases. */
export function nodeHostsFile(pod: Pod, nodeFile: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasLines(pod.spec?.hostAliases)}`;
}

import type { SoaAnswer, SrvAnswer, StringAnswer, TxtAnswer } from 'dns-packet';
import { type ClusterView, SERVICE_NAME_LABEL } from './cluster-view.ts';
import { type Found, lookUp } from './lookup.ts';
import { type Address, addressOfReverseName, type Labels, labelsBelow, labelsOf } from './names.ts';
import { endpointHostsAt, serviceHost, type Target } from './targets.ts';

export type ZoneRecord = StringAnswer | SrvAnswer | SoaAnswer | TxtAnswer;

export interface ZoneQuestion {
  readonly name: Labels;
  /** Upper-case mnemonic, for example `A`. */
  readonly type: string;
}

export interface ZoneConfig {
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
  readonly ttlSeconds: number;
  /** Where this server is reached: the addresses of `ns.dns.<zone>`. */
  readonly nameServers: readonly Address[];
}

export type ZoneAnswer =
  /** Not the cluster's name: for the upstream resolvers. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'records'; readonly answers: readonly ZoneRecord[]; readonly additionals: readonly ZoneRecord[] }
  /** The aliases found so far lead out of the zone, to `target`. */
  | { readonly kind: 'alias'; readonly answers: readonly ZoneRecord[]; readonly target: Labels }
  /** NOERROR without data, or NXDOMAIN; after the aliases that lead there. */
  | { readonly kind: 'noData' | 'noName'; readonly answers: readonly ZoneRecord[]; readonly soa: SoaAnswer };

/** Version of the DNS schema, from kubernetes/dns docs/specification.md. */
const SCHEMA_VERSION = '1.1.0';
const SCHEMA_VERSION_TTL_SECONDS = 28_800;
/** Aliases followed inside the zone (CoreDNS). */
const ALIAS_LENGTH_MAX = 8;

/** Answers one question of class IN from what is known of the cluster. */
export function answerQuestion(question: ZoneQuestion, view: ClusterView, config: ZoneConfig): ZoneAnswer {
  if (question.type === 'PTR') {
    const address = addressOfReverseName(question.name);
    if (address !== undefined) return answerReverse(question.name.join('.'), address, view, config);
  }
  const zone = labelsOf(config.clusterDomain);
  const aliases: ZoneRecord[] = [];
  const seen = new Set<string>();
  for (let name = question.name; ; ) {
    const base = labelsBelow(name, zone);
    if (base === undefined) {
      return aliases.length === 0 ? { kind: 'elsewhere' } : { kind: 'alias', answers: aliases, target: name };
    }
    const owner = name.join('.');
    const found = lookUp(base, view, config.nameServers);
    if (found.kind === 'nothing') return { kind: 'noName', answers: aliases, soa: soaOf(view, config) };
    if (found.kind !== 'alias')
      return withAliases(aliases, recordsOf(owner, base, question.type, found, view, config), view, config);
    seen.add(owner);
    const target = found.to.join('.');
    aliases.push({ type: 'CNAME', name: owner, ttl: config.ttlSeconds, data: target });
    if (question.type === 'CNAME') return { kind: 'records', answers: aliases, additionals: [] };
    if (seen.has(target) || aliases.length >= ALIAS_LENGTH_MAX) {
      return { kind: 'noData', answers: aliases, soa: soaOf(view, config) };
    }
    name = found.to;
  }
}

interface Sections {
  readonly answers: readonly ZoneRecord[];
  readonly additionals: readonly ZoneRecord[];
}
const NO_RECORDS: Sections = { answers: [], additionals: [] };

function withAliases(
  aliases: readonly ZoneRecord[],
  { answers, additionals }: Sections,
  view: ClusterView,
  config: ZoneConfig,
): ZoneAnswer {
  if (answers.length === 0) return { kind: 'noData', answers: aliases, soa: soaOf(view, config) };
  return { kind: 'records', answers: [...aliases, ...answers], additionals };
}

function recordsOf(
  owner: string,
  base: Labels,
  type: string,
  found: Exclude<Found, { kind: 'nothing' | 'alias' }>,
  view: ClusterView,
  config: ZoneConfig,
): Sections {
  if (base.length === 0) return apexRecords(type, view, config);
  switch (found.kind) {
    case 'empty':
      return NO_RECORDS;
    case 'version':
      if (type !== 'TXT') return NO_RECORDS;
      return {
        answers: [{ type: 'TXT', name: owner, ttl: SCHEMA_VERSION_TTL_SECONDS, data: SCHEMA_VERSION }],
        additionals: [],
      };
    case 'addresses':
      return { answers: addressRecords(owner, type, found.addresses, config), additionals: [] };
    case 'targets':
      if (type === 'SRV') return serviceRecords(owner, found.targets, config);
      return {
        answers: addressRecords(
          owner,
          type,
          found.targets.map(({ address }) => address),
          config,
        ),
        additionals: [],
      };
  }
}

function apexRecords(type: string, view: ClusterView, config: ZoneConfig): Sections {
  if (type === 'SOA') return { answers: [soaOf(view, config)], additionals: [] };
  if (type !== 'NS') return NO_RECORDS;
  const server = `ns.dns.${config.clusterDomain}`;
  return {
    answers: [{ type: 'NS', name: config.clusterDomain, ttl: config.ttlSeconds, data: server }],
    additionals: config.nameServers.map((address) => addressRecord(server, address, config)),
  };
}

function addressRecords(
  owner: string,
  type: string,
  addresses: readonly Address[],
  config: ZoneConfig,
): readonly ZoneRecord[] {
  const wanted = addresses.filter(({ family }) => family === type);
  return unique(wanted, ({ text }) => text).map((address) => addressRecord(owner, address, config));
}

function addressRecord(owner: string, { family, text }: Address, config: ZoneConfig): StringAnswer {
  return { type: family, name: owner, ttl: config.ttlSeconds, data: text };
}

/** All targets are equal: each gets its share of CoreDNS's 100. The addresses of the names come along. */
function serviceRecords(owner: string, targets: readonly Target[], config: ZoneConfig): Sections {
  const withPort = targets.filter(({ port }) => port !== undefined);
  const weight = Math.max(1, Math.floor(100 / targets.length));
  const nameOf = ({ host }: Target) => `${host}.svc.${config.clusterDomain}`;
  return {
    answers: unique(withPort, ({ host, port }) => `${host}:${port}`).map((target) => ({
      type: 'SRV',
      name: owner,
      ttl: config.ttlSeconds,
      data: { priority: 0, weight, port: target.port ?? 0, target: nameOf(target) },
    })),
    additionals: unique(withPort, ({ host, address }) => `${host} ${address.text}`).map((target) =>
      addressRecord(nameOf(target), target.address, config),
    ),
  };
}

/** A service's own address names the service, any other address the endpoints there; unknown ones are not ours. */
function answerReverse(owner: string, address: Address, view: ClusterView, config: ZoneConfig): ZoneAnswer {
  const service = view.servicesAt(address.text)[0];
  const hosts =
    service !== undefined
      ? [serviceHost(service)]
      : view.slicesAt(address.text).flatMap((slice) => {
          const { namespace = '', labels = {} } = slice.metadata ?? {};
          const of = view.service(namespace, labels[SERVICE_NAME_LABEL] ?? '');
          return of === undefined ? [] : endpointHostsAt(of, slice, address);
        });
  if (hosts.length === 0) return { kind: 'elsewhere' };
  const answers = unique(hosts, (host) => host).map(
    (host): StringAnswer => ({
      type: 'PTR',
      name: owner,
      ttl: config.ttlSeconds,
      data: `${host}.svc.${config.clusterDomain}`,
    }),
  );
  return { kind: 'records', answers, additionals: [] };
}

/** CoreDNS's figures; the last one is how long a resolver may remember that something is not there. */
function soaOf(view: ClusterView, { clusterDomain, ttlSeconds }: ZoneConfig): SoaAnswer {
  return {
    type: 'SOA',
    name: clusterDomain,
    ttl: Math.min(300, ttlSeconds),
    data: {
      mname: `ns.dns.${clusterDomain}`,
      rname: `hostmaster.${clusterDomain}`,
      serial: view.serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    },
  };
}

function unique<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

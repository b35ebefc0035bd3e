import type { Service } from '@wherry/api';
import { endpointsOf, type ZoneEndpoint } from './endpoints.ts';
import type { ZoneAnswer, ZoneRecord } from './records.ts';
import { isReverse, reverseAddress } from './reverse.ts';
import type { ClusterSource } from './source.ts';

/** Version of the DNS specification for Kubernetes that is followed. */
const SPECIFICATION = '1.1.0';
const NO_SUCH_NAME: ZoneAnswer = { kind: 'no-such-name' };
/** The name exists, but has nothing of the type. */
const NO_DATA: ZoneAnswer = { kind: 'records', records: [], additional: [] };
const SRV_WEIGHT_TOTAL = 100;

export interface Question {
  /** Lower case, without the final dot. */
  readonly name: string;
  /** `A`, `SRV`, … */
  readonly type: string;
}

/** Answers from Services and EndpointSlices as the Kubernetes DNS specification says. */
export class ClusterZone {
  readonly domain: string;
  readonly #source: ClusterSource;

  /** @param domain for example `cluster.local` */
  constructor(domain: string, source: ClusterSource) {
    this.domain = domain;
    this.#source = source;
  }

  answer(question: Question): ZoneAnswer {
    if (isReverse(question.name)) return this.#reverse(question);
    if (question.name === this.domain) return this.#apex(question);
    if (!question.name.endsWith(`.${this.domain}`)) return { kind: 'elsewhere' };
    const labels = question.name.slice(0, -this.domain.length - 1).split('.');
    const branch = labels.pop();
    if (branch === 'svc') return this.#services(labels, question);
    if (branch === 'pod') return this.#pods(labels, question);
    if (branch === 'dns-version' && labels.length === 0) {
      return typed(question, [{ type: 'TXT', name: question.name, data: SPECIFICATION }]);
    }
    return branch === 'ns' && labels.join() === 'dns' ? NO_DATA : NO_SUCH_NAME;
  }

  soa(serial: number, ttlSeconds: number): ZoneRecord {
    const data = {
      mname: `ns.dns.${this.domain}`,
      rname: `hostmaster.${this.domain}`,
      serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    };
    return { type: 'SOA', name: this.domain, data };
  }

  #apex(question: Question): ZoneAnswer {
    return typed(question, [{ type: 'NS', name: this.domain, data: `ns.dns.${this.domain}` }]);
  }

  /** Below `svc`: namespace, service, and then endpoint, or port and protocol. */
  #services(labels: readonly string[], question: Question): ZoneAnswer {
    const rest = [...labels];
    const namespace = rest.pop();
    if (namespace === undefined) return NO_DATA;
    const name = rest.pop();
    if (name === undefined) return this.#source.hasNamespace(namespace) ? NO_DATA : NO_SUCH_NAME;
    const service = this.#source.service(namespace, name);
    if (service === undefined) return NO_SUCH_NAME;
    if (service.spec?.type === 'ExternalName') return external(service, rest, question);
    const below = rest.join('.');
    if (rest.length === 2 && below.startsWith('_')) return this.#ports(service, rest[0] ?? '', rest[1] ?? '', question);
    if (rest.length > 1) return NO_SUCH_NAME;
    if (rest.length === 1) {
      const own = this.#endpoints(service).filter(({ label }) => label === below);
      return own.length === 0 ? NO_SUCH_NAME : typed(question, addressRecords(question.name, own));
    }
    if (question.type === 'SRV') return this.#ports(service, '', '', question);
    if (!isHeadless(service)) return typed(question, clusterIps(question.name, service));
    const endpoints = this.#endpoints(service);
    // The specification asks for this answer when nothing is ready.
    return endpoints.length === 0 ? NO_SUCH_NAME : typed(question, addressRecords(question.name, endpoints));
  }

  /** SRV of a named port; of all ports when the names are empty. */
  #ports(service: Service, port: string, protocol: string, question: Question): ZoneAnswer {
    const wants = (one: { readonly name: string; readonly protocol: string }): boolean =>
      (port === '' && one.name !== '') || (`_${one.name}` === port && `_${one.protocol}` === protocol);
    const serviceName = `${service.metadata?.name}.${service.metadata?.namespace}.svc.${this.domain}`;
    const targets: { readonly port: number; readonly target: string; readonly addresses: readonly ZoneRecord[] }[] = [];
    if (isHeadless(service)) {
      for (const endpoint of this.#endpoints(service)) {
        const target = `${endpoint.label}.${serviceName}`;
        const addresses = addressRecords(target, [endpoint]);
        for (const one of endpoint.ports) if (wants(one)) targets.push({ port: one.port, target, addresses });
      }
    } else {
      const addresses = clusterIps(serviceName, service);
      for (const { name = '', protocol: own = 'TCP', port: number } of service.spec?.ports ?? []) {
        if (wants({ name, protocol: own.toLowerCase() }))
          targets.push({ port: number, target: serviceName, addresses });
      }
    }
    if (targets.length === 0) return port === '' ? NO_DATA : NO_SUCH_NAME;
    const weight = Math.max(1, Math.floor(SRV_WEIGHT_TOTAL / targets.length));
    const records = targets.map(({ port: number, target }): ZoneRecord => {
      return { type: 'SRV', name: question.name, data: { priority: 0, weight, port: number, target } };
    });
    const answer = typed(question, records);
    const additional = new Set(targets.flatMap(({ addresses }) => addresses));
    return question.type === 'SRV' && answer.kind === 'records' ? { ...answer, additional: [...additional] } : answer;
  }

  /** `10-244-1-5.namespace.pod`: the address is in the name; only the namespace is checked (upstream's "insecure"). */
  #pods(labels: readonly string[], question: Question): ZoneAnswer {
    const rest = [...labels];
    const namespace = rest.pop();
    if (namespace === undefined) return NO_DATA;
    if (!this.#source.hasNamespace(namespace)) return NO_SUCH_NAME;
    const label = rest.pop();
    if (label === undefined) return NO_DATA;
    const octets = label.split('-');
    const isAddress = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
    if (!isAddress || rest.length > 0) return NO_SUCH_NAME;
    return typed(question, [{ type: 'A', name: question.name, data: octets.map(Number).join('.') }]);
  }

  #reverse(question: Question): ZoneAnswer {
    const ip = reverseAddress(question.name);
    if (ip === undefined) return { kind: 'elsewhere' };
    const names = this.#source
      .servicesByIp(ip)
      .map(({ metadata }) => `${metadata?.name}.${metadata?.namespace}.svc.${this.domain}`);
    if (names.length === 0) {
      for (const slice of this.#source.slicesByIp(ip)) {
        const service = slice.metadata?.labels?.['kubernetes.io/service-name'];
        const label = endpointsOf([slice]).find(({ address }) => address === ip)?.label;
        if (service === undefined || label === undefined) continue;
        names.push(`${label}.${service}.${slice.metadata?.namespace}.svc.${this.domain}`);
      }
    }
    // Not of this cluster, as far as we know: another server may know it.
    if (names.length === 0) return { kind: 'elsewhere' };
    return typed(
      question,
      names.map((data) => ({ type: 'PTR', name: question.name, data })),
    );
  }

  #endpoints(service: Service): readonly ZoneEndpoint[] {
    const { namespace = '', name = '' } = service.metadata ?? {};
    return endpointsOf(this.#source.slices(namespace, name));
  }
}

function external(service: Service, rest: readonly string[], question: Question): ZoneAnswer {
  const target = service.spec?.externalName?.toLowerCase().replace(/\.$/, '') ?? '';
  if (rest.length > 0 || target === '') return NO_SUCH_NAME;
  return { kind: 'alias', record: { type: 'CNAME', name: question.name, data: target }, target };
}

function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

function clusterIps(name: string, service: Service): readonly ZoneRecord[] {
  const { clusterIPs, clusterIP = '' } = service.spec ?? {};
  return (clusterIPs ?? [clusterIP])
    .filter((ip) => ip !== '')
    .map((data) => ({ type: data.includes(':') ? 'AAAA' : 'A', name, data }));
}

function addressRecords(name: string, endpoints: readonly ZoneEndpoint[]): readonly ZoneRecord[] {
  return endpoints.map(({ family, address }) => ({ type: family, name, data: address }));
}

/** Of a name's records, those asked for. */
function typed(question: Question, records: readonly ZoneRecord[]): ZoneAnswer {
  return { kind: 'records', records: records.filter(({ type }) => type === question.type), additional: [] };
}

import type { ApiObject, IngressBackend } from '@wherry/api';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { intOrString, wholeNumber } from './create-objects.ts';

interface ServiceFlags {
  readonly tcp?: readonly string[];
  readonly clusterip?: string;
  readonly nodePort?: string;
  readonly externalName?: string;
}

export const clusterIp = (name: string, flags: ServiceFlags): ApiObject => {
  if (flags.tcp === undefined && flags.clusterip !== 'None')
    throw new VerbError('at least one tcp port specifier must be provided');
  return service(name, 'ClusterIP', flags, flags.clusterip === undefined ? {} : { clusterIP: flags.clusterip });
};
export const nodePort = (name: string, flags: ServiceFlags): ApiObject => service(name, 'NodePort', flags, {});
export const loadBalancer = (name: string, flags: ServiceFlags): ApiObject => service(name, 'LoadBalancer', flags, {});
export const externalName = (name: string, flags: ServiceFlags): ApiObject =>
  service(name, 'ExternalName', flags, { externalName: flags.externalName });

function service(name: string, type: string, flags: ServiceFlags, more: Readonly<Record<string, unknown>>): ApiObject {
  const ports = (flags.tcp ?? []).map((text) => {
    const [port = '', target = port] = text.split(':');
    return {
      name: text.replace(':', '-'),
      port: wholeNumber('--tcp', port),
      protocol: 'TCP',
      targetPort: intOrString(target),
      ...(flags.nodePort === undefined ? {} : { nodePort: wholeNumber('--node-port', flags.nodePort) }),
    };
  });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: { type, selector: { app: name }, ...(ports.length === 0 ? {} : { ports }), ...more },
  } as ApiObject;
}

interface IngressFlags {
  readonly rule: readonly string[];
  readonly class?: string;
  readonly defaultBackend?: string;
  readonly annotation?: readonly string[];
}

interface Rule {
  readonly host: string;
  readonly path: string;
  readonly pathType: 'Exact' | 'Prefix';
  readonly backend: IngressBackend;
  /** Undefined: no TLS. Empty: the controller's own certificate. */
  readonly secret: string | undefined;
}

export function ingress(name: string, flags: IngressFlags): ApiObject {
  const rules = flags.rule.map(ruleOf);
  const hosts = [...Map.groupBy(rules, ({ host }) => host)];
  const tls = hosts.flatMap(([host, ofHost]) => {
    const secret = ofHost.find((rule) => rule.secret !== undefined)?.secret;
    return secret === undefined
      ? []
      : [{ ...(host === '' ? {} : { hosts: [host] }), ...(secret === '' ? {} : { secretName: secret }) }];
  });
  const spec = {
    ...(flags.class === undefined ? {} : { ingressClassName: flags.class }),
    ...(flags.defaultBackend === undefined ? {} : { defaultBackend: backendOf(flags.defaultBackend) }),
    rules: hosts.map(([host, ofHost]) => ({
      ...(host === '' ? {} : { host }),
      http: { paths: ofHost.map(({ path, pathType, backend }) => ({ path, pathType, backend })) },
    })),
    ...(tls.length === 0 ? {} : { tls }),
  };
  const annotations = parseLabelPairs(flags.annotation ?? []);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec,
  } as ApiObject;
}

function ruleOf(text: string): Rule {
  const found = /^([^/]*)(\/[^=]*)=([^,]+)(?:,tls(?:=(.*))?)?$/.exec(text);
  if (found === null) {
    throw new VerbError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  }
  const [, host = '', path = '', target = '', secret = ''] = found;
  return {
    host,
    path: path.replace(/\*$/, ''),
    pathType: path.endsWith('*') ? 'Prefix' : 'Exact',
    backend: backendOf(target),
    secret: /,tls(=|$)/.test(text) ? secret : undefined,
  };
}

function backendOf(text: string): IngressBackend {
  const [name = '', port = ''] = text.split(':');
  if (name === '' || port === '') throw new VerbError(`backend ${text} should be in format service:port`);
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}

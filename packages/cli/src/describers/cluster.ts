import {
  type ConfigMap,
  type EndpointSlice,
  type Namespace,
  type ResourceQuota,
  resources,
  type Secret,
  type Service,
  type ServiceAccount,
} from '@wherry/api';
import { selectorText } from '../kube/selector-text.ts';
import { type Describer, describeName, describeWords } from './describer.ts';
import { limitHeading, limitRows } from './limits.ts';
import { endpointsText } from './service-endpoints.ts';

export const describeService: Describer<Service> = async (service, outline, { client }) => {
  const { spec, status } = service;
  describeName(outline, service);
  describeWords(outline, service)
    .field('Selector', selectorText(spec?.selector ?? {}) || '<none>')
    .field('Type', spec?.type)
    .field('IP Family Policy', spec?.ipFamilyPolicy)
    .field('IP Families', spec?.ipFamilies?.join(',') ?? '<none>')
    .field('IP', spec?.clusterIP ?? '')
    .field('IPs', spec?.clusterIPs?.join(',') ?? '<none>')
    .field('External IPs', spec?.externalIPs?.join(','))
    .field('External Name', spec?.externalName);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  if (ingress.length > 0) outline.field('LoadBalancer Ingress', ingress.join(', '));
  for (const port of spec?.ports ?? []) {
    const { name = '<unset>', protocol = 'TCP', nodePort } = port;
    outline
      .row('Port:', name, `${port.port}/${protocol}`)
      .field('TargetPort', `${port.targetPort ?? port.port}/${protocol}`);
    if (nodePort !== undefined) outline.row('NodePort:', name, `${nodePort}/${protocol}`);
    outline.field('Endpoints', await endpointsText(client, service, port));
  }
  outline
    .field('Session Affinity', spec?.sessionAffinity)
    .field('External Traffic Policy', spec?.externalTrafficPolicy)
    .field('Internal Traffic Policy', spec?.internalTrafficPolicy)
    .field('Traffic Distribution', spec?.trafficDistribution);
};

export const describeEndpointSlice: Describer<EndpointSlice> = (slice, outline) => {
  describeName(outline, slice);
  describeWords(outline, slice).field('AddressType', slice.addressType);
  const ports = (slice.ports ?? []).map(({ name, port, protocol }) => [
    name || '<unset>',
    port ?? '<unset>',
    protocol ?? 'TCP',
  ]);
  if (ports.length === 0) outline.row('Ports: <unset>');
  else outline.table('Ports', ['Name', 'Port', 'Protocol'], ports);
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length === 0) {
    outline.row('Endpoints: <none>');
    return;
  }
  outline.block('Endpoints', (inner) => {
    for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of endpoints) {
      inner.field('- Addresses', addresses.join(',') || '<none>');
      const lines = inner.inner();
      lines.block('Conditions', (own) => void own.field('Ready', conditions?.ready ?? '<unset>'));
      lines
        .field('Hostname', hostname ?? '<unset>')
        .field('TargetRef', targetRef === undefined ? undefined : `${targetRef.kind}/${targetRef.name}`)
        .field('NodeName', nodeName ?? '<unset>')
        .field('Zone', zone ?? '<unset>');
    }
  });
};

export const describeConfigMap: Describer<ConfigMap> = (configMap, outline) => {
  const { data, binaryData } = configMap;
  describeName(outline, configMap);
  describeWords(outline, configMap);
  outline.row('').row('Data').row('====');
  for (const [key, value] of byKey(data)) outline.row(`${key}:`).row('----').row(value).row('').row('');
  outline.row('BinaryData').row('====');
  for (const [key, value] of byKey(binaryData)) {
    outline.row(`${key}: ${Buffer.from(value, 'base64').length} bytes`);
  }
  outline.row('');
};

/** Sizes only: a description is shown to others, a secret is not. */
export const describeSecret: Describer<Secret> = (secret, outline) => {
  describeName(outline, secret);
  describeWords(outline, secret);
  outline
    .row('')
    .field('Type', secret.type ?? 'Opaque')
    .row('')
    .row('Data')
    .row('====');
  for (const [key, value] of byKey(secret.data)) {
    const bytes = Buffer.from(value, 'base64');
    // A token is what people come for, and is of use only to who may read it here anyway.
    const isToken = key === 'token' && secret.type === 'kubernetes.io/service-account-token';
    outline.field(key, isToken ? bytes.toString('utf8') : `${bytes.length} bytes`);
  }
};

function byKey(data: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] {
  return Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

export const describeServiceAccount: Describer<ServiceAccount> = (account, outline) => {
  describeName(outline, account);
  describeWords(outline, account)
    .list(
      'Image pull secrets',
      (account.imagePullSecrets ?? []).map(({ name = '' }) => name),
    )
    .list(
      'Mountable secrets',
      (account.secrets ?? []).map(({ name = '' }) => name),
    )
    .list('Tokens', []);
};

export const describeNamespace: Describer<Namespace> = async (namespace, outline, { client }) => {
  const { name = '' } = namespace.metadata ?? {};
  outline.field('Name', name);
  describeWords(outline, namespace).field('Status', namespace.status?.phase);
  const conditions = (namespace.status?.conditions ?? []).map(
    ({ type, status, lastTransitionTime, reason = '', message = '' }) => [
      type,
      status,
      lastTransitionTime ?? '',
      reason,
      message,
    ],
  );
  if (conditions.length > 0) {
    outline.table('Conditions', ['Type', 'Status', 'LastTransitionTime', 'Reason', 'Message'], conditions);
  }
  const quotas = await client.list(resources.resourcequotas, { namespace: name });
  outline.row('');
  if (quotas.items.length === 0) outline.row('No resource quota.');
  else outline.row('Resource Quotas');
  for (const { metadata, status } of quotas.items as readonly ResourceQuota[]) {
    const inner = outline.inner();
    inner.field('Name', metadata?.name).row('Resource', 'Used', 'Hard').row('--------', '---', '---');
    for (const [resource, hard] of byKey(status?.hard)) inner.row(resource, status?.used?.[resource] ?? '0', hard);
  }
  const ranges = await client.list(resources.limitranges, { namespace: name });
  outline.row('');
  if (ranges.items.length === 0) outline.row('No LimitRange resource.');
  else {
    outline.row('Resource Limits').inner(' ').rows(limitHeading, limitRows(ranges.items));
  }
};

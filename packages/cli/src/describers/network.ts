import { type Endpoints, type Ingress, type IngressBackend, isNotFound, resources, type Service } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { type Describer, describeName, describeWords } from './describer.ts';
import { endpointsText } from './service-endpoints.ts';

export const describeEndpoints: Describer<Endpoints> = (endpoints, outline) => {
  describeName(outline, endpoints);
  describeWords(outline, endpoints);
  outline.block('Subsets', (inner) => {
    for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
      inner
        .field('Addresses', addresses.map(({ ip }) => ip).join(',') || '<none>')
        .field('NotReadyAddresses', notReadyAddresses.map(({ ip }) => ip).join(',') || '<none>');
      if (ports.length > 0) {
        const rows = ports.map(({ name = '<unset>', port, protocol = 'TCP' }) => [name, port, protocol]);
        inner.table('Ports', ['Name', 'Port', 'Protocol'], rows);
      }
    }
  });
  outline.row('');
};

export const describeIngress: Describer<Ingress> = async (ingress, outline, { client }) => {
  const { metadata, spec, status } = ingress;
  const namespace = metadata?.namespace ?? '';
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  outline
    .field('Name', metadata?.name)
    .labels('Labels', metadata?.labels)
    .field('Namespace', namespace)
    .field('Address', addresses.join(','))
    .field('Ingress Class', spec?.ingressClassName ?? '<none>')
    .field(
      'Default backend',
      spec?.defaultBackend === undefined ? '<default>' : await backendText(client, namespace, spec.defaultBackend),
    );
  if ((spec?.tls ?? []).length > 0) {
    outline.block('TLS', (inner) => {
      for (const { hosts = [], secretName } of spec?.tls ?? []) {
        inner.row(
          secretName === undefined ? `SNI routes ${hosts.join(',')}` : `${secretName} terminates ${hosts.join(',')}`,
        );
      }
    });
  }
  outline.row('Rules:');
  const rules = outline.inner();
  rules.row('Host', 'Path', 'Backends').row('----', '----', '--------');
  for (const { host = '*', http } of spec?.rules ?? []) {
    rules.row(`${host} `, '');
    for (const { path = '', backend } of http?.paths ?? []) {
      rules.row('', `${path} `, await backendText(client, namespace, backend));
    }
  }
  outline.annotations('Annotations', metadata?.annotations);
};

/** `web:80 (10.244.0.2:8080)`: a backend, and what it leads to now. */
async function backendText(
  client: ApiClient,
  namespace: string,
  { service, resource }: IngressBackend,
): Promise<string> {
  if (service === undefined)
    return `APIGroup: ${resource?.apiGroup ?? ''}, Kind: ${resource?.kind}, Name: ${resource?.name}`;
  const { name = '', number } = service.port ?? {};
  const text = `${service.name}:${number ?? name}`;
  let found: Service;
  try {
    found = await client.get(resources.services, service.name, { namespace });
  } catch (error) {
    if (isNotFound(error)) return `${text} (<error: services "${service.name}" not found>)`;
    throw error;
  }
  const port = found.spec?.ports?.find((one) => (number === undefined ? one.name === name : one.port === number));
  if (port === undefined) return `${text} ()`;
  return `${text} (${await endpointsText(client, found, port)})`;
}

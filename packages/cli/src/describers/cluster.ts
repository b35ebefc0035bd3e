import { type ConfigMap, type Node, resources, type Secret, type Service } from '@wherry/api';
import { type Describer, describeConditions } from './describer.ts';

export const describeNode: Describer<Node> = async (node, outline, { client }) => {
  const { spec, status, metadata } = node;
  const taints = (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`);
  outline.list('Taints', taints).field('Unschedulable', spec?.unschedulable ?? false);
  describeConditions(outline, status?.conditions);
  outline
    .list(
      'Addresses',
      (status?.addresses ?? []).map(({ type, address }) => `${type} ${address}`),
    )
    .block('Capacity', (inner) => {
      for (const [name, amount] of Object.entries(status?.capacity ?? {})) inner.field(name, amount);
    })
    .block('Allocatable', (inner) => {
      for (const [name, amount] of Object.entries(status?.allocatable ?? {})) inner.field(name, amount);
    })
    .block('System Info', (inner) => {
      for (const [name, value] of Object.entries(status?.nodeInfo ?? {}))
        if (typeof value === 'string') inner.field(name, value);
    })
    .list('PodCIDRs', spec?.podCIDRs ?? []);
  const pods = await client.list(resources.pods, { fieldSelector: `spec.nodeName=${metadata?.name}` });
  const active = pods.items.filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
  const rows = active.map((pod) => {
    const requests = pod.spec?.containers.map(({ resources: wanted }) => wanted?.requests ?? {}) ?? [];
    const sum = (name: string) =>
      requests
        .map((one) => one[name])
        .filter((amount) => amount !== undefined)
        .join(' + ') || '0';
    return [pod.metadata?.namespace ?? '', pod.metadata?.name ?? '', sum('cpu'), sum('memory')];
  });
  outline.table(
    `Non-terminated Pods (${active.length} in total)`,
    ['Namespace', 'Name', 'CPU Requests', 'Memory Requests'],
    rows,
  );
};

export const describeService: Describer<Service> = async ({ spec, status, metadata }, outline, { client }) => {
  outline
    .map('Selector', spec?.selector)
    .field('Type', spec?.type)
    .field('IP Families', spec?.ipFamilies?.join(','))
    .field('IP', spec?.clusterIP)
    .field('External Name', spec?.externalName)
    .list('External IPs', spec?.externalIPs ?? [])
    .list(
      'LoadBalancer Ingress',
      (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ''),
    );
  const slices = await client.list(resources.endpointslices, {
    namespace: metadata?.namespace ?? '',
    labelSelector: `kubernetes.io/service-name=${metadata?.name}`,
  });
  for (const port of spec?.ports ?? []) {
    const endpoints = slices.items.flatMap((slice) => {
      const target = slice.ports?.find(({ name }) => (name ?? '') === (port.name ?? ''))?.port;
      const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
      return target === undefined
        ? []
        : ready.flatMap(({ addresses }) => addresses.map((address) => `${address}:${target}`));
    });
    outline
      .field('Port', `${port.name ?? '<unset>'} ${port.port}/${port.protocol ?? 'TCP'}`)
      .field('TargetPort', `${port.targetPort ?? port.port}/${port.protocol ?? 'TCP'}`)
      .field(
        'NodePort',
        port.nodePort === undefined
          ? undefined
          : `${port.name ?? '<unset>'} ${port.nodePort}/${port.protocol ?? 'TCP'}`,
      )
      .field('Endpoints', endpoints.join(',') || '<none>');
  }
  outline
    .field('Session Affinity', spec?.sessionAffinity)
    .field('Internal Traffic Policy', spec?.internalTrafficPolicy)
    .field('External Traffic Policy', spec?.externalTrafficPolicy);
};

export const describeConfigMap: Describer<ConfigMap> = ({ data, binaryData }, outline) => {
  outline.block('Data', (inner) => {
    for (const [key, value] of Object.entries(data ?? {})) inner.list(key, value.split('\n'));
  });
  outline.block('BinaryData', (inner) => {
    for (const [key, value] of Object.entries(binaryData ?? {}))
      inner.field(key, `${Buffer.from(value, 'base64').length} bytes`);
  });
};

/** Sizes only: a description is shown to others, a secret is not. */
export const describeSecret: Describer<Secret> = ({ data, type }, outline) => {
  outline.field('Type', type).block('Data', (inner) => {
    for (const [key, value] of Object.entries(data ?? {}))
      inner.field(key, `${Buffer.from(value, 'base64').length} bytes`);
  });
};

import type { Service, ServicePort } from '@wherry/api';
import { ageColumn, labelsText, nameColumn, none, text, wide } from '../../cells.ts';
import { forbidden } from '../../findings.ts';
import { asPrefix, dns1035Label } from '../../names.ts';
import { strategyOf } from '../../plain.ts';
import { checkServiceUpdate } from './addresses.ts';
import { checkIngressPoints, ingressPointsText } from './load-balancer.ts';
import { prepareNewService, prepareServiceUpdate } from './prepare.ts';
import { specOf } from './types.ts';
import { checkService } from './validation.ts';

export const serviceStrategy = strategyOf<Service>({
  validateName: asPrefix(dns1035Label),
  allowCreateOnUpdate: true,
  prepareForCreate: prepareNewService,
  prepareForUpdate: prepareServiceUpdate,
  check: checkService,
  checkUpdate: checkServiceUpdate,
  checkStatus: (findings, next) => {
    const points = next.status?.loadBalancer?.ingress;
    const path = 'status.loadBalancer.ingress';
    if (next.spec?.type !== 'LoadBalancer' && (points ?? []).length > 0) {
      findings.push(forbidden(path, 'may only be used when `spec.type` is "LoadBalancer"'));
      return;
    }
    checkIngressPoints(findings, points, true, path);
  },
  fieldSelectors: {
    'spec.clusterIP': (service) => service.spec?.clusterIP ?? '',
    'spec.type': (service) => service.spec?.type ?? '',
  },
  columns: [
    nameColumn,
    text('Type', (service) => specOf(service).type ?? ''),
    text('Cluster-IP', (service) => specOf(service).clusterIPs?.[0] ?? none),
    text('External-IP', externalIp),
    text('Port(s)', (service) => (specOf(service).ports ?? []).map(portText).join(',') || none),
    ageColumn,
    wide(text('Selector', (service) => labelsText(specOf(service).selector))),
  ],
});

function externalIp(service: Service): string {
  const spec = specOf(service);
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || none;
    case 'LoadBalancer': {
      const balanced = ingressPointsText(service.status?.loadBalancer?.ingress);
      return [...(balanced === '' ? [] : [balanced]), ...external].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

function portText({ nodePort, port, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

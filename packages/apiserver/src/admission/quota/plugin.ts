import { forbidden, quotaEvaluatorOf } from '@wherry/api';
import type { AdmissionAttributes, AdmissionPlugin } from '../chain.ts';
import type { QuotaLedger } from './ledger.ts';

/** Nobody counts what comes and goes by itself. */
const ignored = new Set(['/events', 'events.k8s.io/events']);

/** What is written must fit into the quotas of its namespace. Comes last: what it takes is not given back. */
export function resourceQuota(ledger: QuotaLedger): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    validate(attributes) {
      const { stored, namespace, operation, object } = attributes;
      if (namespace === '' || operation === 'DELETE' || object === undefined || !isMeasured(attributes)) {
        return undefined;
      }
      const resource = `${stored.group}/${stored.resource}`;
      if (ignored.has(resource) || !ledger.isNeeded(namespace)) {
        return undefined;
      }
      return charge(attributes, { operation, object, resource }, ledger);
    },
  };
}

type Charged = {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly object: NonNullable<AdmissionAttributes['object']>;
  readonly resource: string;
};

async function charge(attributes: AdmissionAttributes, charged: Charged, ledger: QuotaLedger): Promise<void> {
  const { stored, namespace, subresource, old, dryRun, name } = attributes;
  const request = { ...charged, evaluator: quotaEvaluatorOf(stored), subresource, old };
  const reason = await ledger.reserve(namespace, request, dryRun);
  if (reason !== '') {
    throw forbidden(stored, name, reason);
  }
}

/** Writes that can change what an object takes of a quota. */
function isMeasured({ stored, operation, subresource }: AdmissionAttributes): boolean {
  switch (stored.group === '' ? stored.resource : '') {
    case 'pods':
      return operation === 'CREATE' ? subresource === '' : subresource === 'resize';
    case 'services':
      return subresource === '';
    case 'persistentvolumeclaims':
      return subresource === '' || (subresource === 'status' && operation === 'UPDATE');
    default:
      return operation === 'CREATE' && subresource === '';
  }
}

import type { Event } from '@wherry/api';
import { text, wide } from '../cells.ts';
import { checkName } from '../checks.ts';
import { type Findings, invalid } from '../findings.ts';
import { since } from '../human-duration.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

type Involved = Event['involvedObject'];

function involved(field: keyof Involved): (event: Event) => string {
  return (event) => event.involvedObject?.[field] ?? '';
}

const involvedFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

/** Both versions' names for the same fields: involvedObject (core/v1) is regarding (events.k8s.io/v1). */
const fieldSelectors: Record<string, (event: Event) => string> = {
  reason: (event) => event.reason ?? '',
  type: (event) => event.type ?? '',
  source: (event) => event.source?.component || (event.reportingComponent ?? ''),
  reportingComponent: (event) => event.reportingComponent ?? '',
  reportingController: (event) => event.reportingComponent ?? '',
};
for (const field of involvedFields) {
  fieldSelectors[`involvedObject.${field}`] = involved(field);
  fieldSelectors[`regarding.${field}`] = involved(field);
}

export const eventStrategy = strategyOf<Event>({
  validateName: asPrefix(dns1123Subdomain),
  allowCreateOnUpdate: true,
  check: checkEvent,
  fieldSelectors,
  columns: [
    text('Last Seen', lastSeen),
    text('Type', (event) => event.type ?? ''),
    text('Reason', (event) => event.reason ?? ''),
    text('Object', target),
    wide(text('Subobject', involved('fieldPath'))),
    wide(text('Source', source)),
    text('Message', (event) => (event.message ?? '').trim()),
    wide(text('First Seen', firstSeen)),
    wide(text('Count', count)),
    { ...wide(text<Event>('Name', (event) => event.metadata?.name ?? '')), format: 'name' },
  ],
});

/** An event lives where its object does; those of cluster-wide objects live in `default`. */
function checkEvent(findings: Findings, event: Event): void {
  const namespace = event.metadata?.namespace ?? '';
  const involvedNamespace = event.involvedObject?.namespace ?? '';
  const agrees =
    involvedNamespace === '' ? namespace === '' || namespace === 'default' : namespace === involvedNamespace;
  if (!agrees) {
    findings.push(invalid('involvedObject.namespace', involvedNamespace, 'does not match event.namespace'));
  }
  checkName(findings, dns1123Subdomain, namespace, 'namespace');
}

function firstSeen(event: Event, nowMs: number): string {
  return since(event.firstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return since(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? since(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function count(event: Event): number {
  return event.series === undefined ? event.count || 1 : (event.series.count ?? 0);
}

function target(event: Event): string {
  const kind = (event.involvedObject?.kind ?? '').toLowerCase();
  return event.involvedObject?.name ? `${kind}/${event.involvedObject.name}` : kind;
}

function source(event: Event): string {
  const component = event.source?.component || (event.reportingComponent ?? '');
  const host = event.source?.host || (event.reportingInstance ?? '');
  return host === '' ? component : `${component}, ${host}`;
}

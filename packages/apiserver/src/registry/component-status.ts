import { type ComponentStatus, notFound } from '@wherry/api';
import type { ApiResponse } from '../http/exchange.ts';
import { valueResponse } from '../http/respond.ts';
import { strategyFor } from '../kinds/index.ts';
import type { ResourceRequest } from './context.ts';
import { metaApiVersion, partialOf } from './partial.ts';
import { includeObject } from './render.ts';
import { columnsOf, tableRow } from './table.ts';

/** Asks a component how it is: the text of its answer, or why there is none. */
export type ComponentProbe = () => Promise<{ readonly healthy: boolean; readonly message: string }>;
export type ComponentProbes = ReadonlyMap<string, ComponentProbe>;

/** get and list of componentstatuses: nothing is stored, the components are asked. */
export async function componentStatuses(from: ResourceRequest, probes: ComponentProbes): Promise<ApiResponse> {
  const { info, how } = from;
  if (info.verb === 'get') {
    const probe = probes.get(info.name);
    if (probe === undefined) {
      throw notFound(from.kind.resource, info.name);
    }
    return respond(from, [await ask(info.name, probe)], true);
  }
  const items = await Promise.all([...probes].map(([name, probe]) => ask(name, probe)));
  return how.form === 'object'
    ? valueResponse(200, { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items }, how)
    : respond(from, items, false);
}

function respond(from: ResourceRequest, items: readonly ComponentStatus[], single: boolean): ApiResponse {
  const { how } = from;
  if (how.form === 'table') {
    const strategy = strategyFor(from.kind.resource);
    const nowMs = from.registry.clock.now();
    const include = includeObject(from.query);
    return valueResponse(
      200,
      {
        kind: 'Table',
        apiVersion: metaApiVersion(how),
        metadata: {},
        columnDefinitions: columnsOf(strategy),
        rows: items.map((item) => tableRow(strategy, item, item, include, nowMs, how)),
      },
      how,
    );
  }
  const partial = how.form === 'partial';
  const shown = partial ? items.map((item) => partialOf(item, how)) : items;
  const [first] = shown;
  if (single && first !== undefined) {
    return valueResponse(200, first, how);
  }
  return valueResponse(
    200,
    { kind: 'PartialObjectMetadataList', apiVersion: metaApiVersion(how), metadata: {}, items: shown },
    how,
  );
}

async function ask(name: string, probe: ComponentProbe): Promise<ComponentStatus> {
  const { healthy, message } = await probe();
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [
      healthy
        ? { type: 'Healthy', status: 'True', message }
        : { type: 'Healthy', status: 'Unknown', message: '', error: message },
    ],
  };
}

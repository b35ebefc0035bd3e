import type { ApiObject } from '@wherry/api';
import { toYaml } from '../printers/printer.ts';
import { type Describer, describeConditions } from './describer.ts';

interface Ordinary extends ApiObject {
  readonly status?: { readonly conditions?: Parameters<typeof describeConditions>[1] };
}

/** Kinds without a description of their own: what they hold, as YAML. */
export const describeAny: Describer = (object, outline) => {
  const {
    apiVersion: _,
    kind: __,
    metadata: ___,
    ...content
  } = object as ApiObject & Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(content)) {
    if (typeof value !== 'object' || value === null) outline.field(name, String(value));
    else outline.list(name, ['', ...toYaml(value).trimEnd().split('\n')]);
  }
  describeConditions(outline, (object as Ordinary).status?.conditions);
};

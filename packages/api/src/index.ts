// The words that all of Wherry's processes speak. No I/O.
export { applyDefaults } from './defaults/apply-defaults.ts';

export * from './facts/decode.ts';
export { duplicateFieldProblems } from './facts/duplicate-fields.ts';
export type * from './facts/schema.ts';
export { facts } from './facts/table.ts';
export { canonicalTime, TimeFormatError } from './facts/time.ts';
export { resources, resourceTable } from './generated/resources.ts';
export type * from './generated/types.ts';
export * from './meta/conditions.ts';
export * from './meta/int-or-string.ts';
export * from './meta/objects.ts';
export * from './meta/resource.ts';
export type * from './meta/table.ts';
export * from './names/names.ts';
export * from './nodes/node-selector.ts';
export * from './nodes/tolerations.ts';
export { openApiV2Document } from './openapi/v2.ts';
export { openApiV3Document, openApiV3Index } from './openapi/v3.ts';
export * from './pods/requests.ts';
export * from './pods/state.ts';
export * from './quantity/quantity.ts';
export * from './selectors/field-selector.ts';
export * from './selectors/label-selector.ts';
export * from './selectors/parse-label-selector.ts';
export * from './status/field-error.ts';
export * from './status/reasons.ts';
export * from './status/status-error.ts';

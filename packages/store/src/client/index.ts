export { isStoreError, StoreError, type StoreErrorKind } from '../schema/errors.ts';
export { prefixEnd, TO_THE_END } from '../schema/keys.ts';
export type * from '../schema/messages.ts';
export { toLeaseId, toRevision } from '../schema/messages.ts';
export { type StoreConnector, type StoreTls, tlsConnector } from './connector.ts';
export { createMemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export { createStoreClient, type StoreClientOptions } from './store-client.ts';
export type { CallOptions, StoreClient, StoreWatch } from './types.ts';

import type { Pod } from '@wherry/api';
import type { Informer } from '@wherry/client';

/** The pods of this node as the API shows them: an informer, or one node's share of an informer of many nodes. */
export type PodSource = Pick<Informer<Pod>, 'get' | 'list' | 'onChange' | 'synced'>;

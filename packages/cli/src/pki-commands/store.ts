import { ensureTree, storeWishes } from '@wherry/pki';
import type { Context } from '../context.ts';
import { serverNames } from './addresses.ts';
import { type PlaceOptions, pkiHome, requireAuthorities } from './folder.ts';
import { report } from './init.ts';

export interface MemberOptions extends PlaceOptions {
  readonly address: readonly string[];
}

/** Makes a store member's two certificates, beside the authority that signs them. */
export async function storePki(context: Context, member: string, options: MemberOptions): Promise<void> {
  const pki = requireAuthorities(pkiHome(context, options));
  const wishes = storeWishes({ name: member, ...serverNames(options.address) });
  report(context, pki, await ensureTree(pki, wishes, context.clock.now()));
}

/** How to reach a store. Files hold PEM texts. */
export interface Connection {
  readonly endpoints: readonly string[];
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One member of a cluster that is made from a backup. */
export interface RestoredMember {
  readonly name: string;
  readonly dataDir: string;
}

/** What an operator can have done. The command line passes it as JSON, and gets JSON back. */
export type Order =
  | { readonly kind: 'status'; readonly connection: Connection }
  | { readonly kind: 'memberList'; readonly connection: Connection }
  | {
      readonly kind: 'memberAdd';
      readonly connection: Connection;
      readonly peerUrls: readonly string[];
      readonly isLearner: boolean;
    }
  | {
      readonly kind: 'memberUpdate';
      readonly connection: Connection;
      readonly member: string;
      readonly peerUrls: readonly string[];
    }
  /** `member`: its name, or its id in hexadecimal. */
  | { readonly kind: 'memberRemove'; readonly connection: Connection; readonly member: string }
  | { readonly kind: 'memberPromote'; readonly connection: Connection; readonly member: string }
  | { readonly kind: 'moveLeader'; readonly connection: Connection; readonly member: string }
  | { readonly kind: 'snapshotSave'; readonly connection: Connection; readonly file: string }
  | { readonly kind: 'snapshotStatus'; readonly file: string; readonly skipHashCheck: boolean }
  | {
      readonly kind: 'snapshotRestore';
      readonly file: string;
      readonly skipHashCheck: boolean;
      readonly bumpRevisions: number;
      /** `name=url,…` of all members; those to be restored here are in `members`. */
      readonly initialCluster: string;
      readonly initialClusterToken: string;
      readonly members: readonly RestoredMember[];
    };

export type OrderOf<K extends Order['kind']> = Extract<Order, { readonly kind: K }>;

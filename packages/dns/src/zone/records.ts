/** One record of the cluster's zone. Names are without the final dot. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'NS'; readonly name: string; readonly data: string }
  | { readonly type: 'TXT'; readonly name: string; readonly data: string }
  | { readonly type: 'SRV'; readonly name: string; readonly data: SrvTarget }
  | { readonly type: 'SOA'; readonly name: string; readonly data: SoaFields };

export interface SrvTarget {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface SoaFields {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long resolvers may remember that a name does not exist, in seconds. */
  readonly minimum: number;
}

/**
 * What the zone says to a question. `records` may be empty: the name exists, the type does not (NODATA).
 * `elsewhere`: the question is not about the cluster.
 */
export type ZoneAnswer =
  | { readonly kind: 'records'; readonly records: readonly ZoneRecord[]; readonly additional: readonly ZoneRecord[] }
  | { readonly kind: 'alias'; readonly record: ZoneRecord; readonly target: string }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'elsewhere' };

import type { Clock, Random } from '@wherry/daemon';
import { endpointsOf } from '../../plan/difference.ts';
import { type Endpoint, endpointKey } from '../../plan/endpoints.ts';
import type { ServiceRule } from '../../plan/service-rules.ts';

/** Clients with affinity remembered per rule; the one that was quiet longest is forgotten first. */
const AFFINITY_CLIENTS_MAX = 65_535;

/** Chooses endpoints of one rule as the kernel's rules would. */
export class EndpointChooser {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #isInside: (clientIp: string) => boolean;
  readonly #affinity = new Map<string, { readonly endpoint: string; readonly atMs: number }>();
  rule: ServiceRule;

  /** @param isInside whether a client is a pod or this node: those skip the external Local policy */
  constructor(rule: ServiceRule, clock: Clock, random: Random, isInside: (clientIp: string) => boolean) {
    this.rule = rule;
    this.#clock = clock;
    this.#random = random;
    this.#isInside = isInside;
  }

  /**
   * Endpoints to try for a new connection, best first: the one the client is bound to, then the others in random
   * order. Empty when the client may reach none.
   */
  candidates(door: 'internal' | 'external', clientIp: string): readonly Endpoint[] {
    const { rule } = this;
    const inside = door === 'external' && rule.keepsClientAddress && this.#isInside(clientIp);
    const endpoints = shuffled(endpointsOf(rule[inside ? 'shortcut' : door]), this.#random);
    const bound = this.#boundEndpoint(clientIp);
    return endpoints.sort((a, b) => Number(endpointKey(b) === bound) - Number(endpointKey(a) === bound));
  }

  /** The client was connected to this endpoint. */
  chosen(clientIp: string, endpoint: Endpoint): void {
    if (this.rule.affinitySeconds === 0) return;
    this.#affinity.delete(clientIp);
    this.#affinity.set(clientIp, { endpoint: endpointKey(endpoint), atMs: this.#clock.monotonicMs() });
    if (this.#affinity.size <= AFFINITY_CLIENTS_MAX) return;
    const oldest = this.#affinity.keys().next().value;
    if (oldest !== undefined) this.#affinity.delete(oldest);
  }

  #boundEndpoint(clientIp: string): string | undefined {
    if (this.rule.affinitySeconds === 0) return undefined;
    const bound = this.#affinity.get(clientIp);
    const fresh = bound !== undefined && this.#clock.monotonicMs() - bound.atMs < this.rule.affinitySeconds * 1000;
    return fresh ? bound.endpoint : undefined;
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const [a, b] = [result[last], result[other]];
    if (a === undefined || b === undefined) continue;
    result[last] = b;
    result[other] = a;
  }
  return result;
}

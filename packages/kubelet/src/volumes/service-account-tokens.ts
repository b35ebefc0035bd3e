// Tokens for projected volumes, one for each pod, account and audience; renewed when 80 % of their life is over.
import { type ApiObject, type Pod, type Resource, resources, type TokenRequest } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Clock, Random } from '@wherry/daemon';
import { withDeadline } from '../pods/deadline.ts';

export interface TokenWish {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

interface Held {
  readonly token: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

const lifeShare = 0.8;
/** However long a token lives, it is renewed daily (upstream). */
const ageMsMax = 24 * 3_600_000;
const jitterMsMax = 10_000;
/** An API server that takes longer is as good as away. */
const answerMsMax = 5_000;

export class ServiceAccountTokens {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(client: ApiClient, clock: Clock, random: Random) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
  }

  /** The pod's token; a new one when it is due. An old one that still lives serves while the API server is away. */
  async token(pod: Pod, wish: TokenWish): Promise<string> {
    const uid = pod.metadata?.uid ?? '';
    const key = JSON.stringify([pod.spec?.serviceAccountName, wish.audience, wish.expirationSeconds]);
    const ofPod = this.#held.get(uid) ?? new Map<string, Held>();
    this.#held.set(uid, ofPod);
    const held = ofPod.get(key);
    const nowMs = this.#clock.now();
    if (held !== undefined && nowMs < held.renewAtMs) return held.token;
    try {
      const fresh = await this.#request(pod, wish, nowMs);
      ofPod.set(key, fresh);
      return fresh.token;
    } catch (error) {
      if (held === undefined || nowMs >= held.expiresAtMs) throw error;
      return held.token;
    }
  }

  forget(podUid: string): void {
    this.#held.delete(podUid);
  }

  async #request(pod: Pod, wish: TokenWish, nowMs: number): Promise<Held> {
    const account = pod.spec?.serviceAccountName ?? 'default';
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: wish.audience === undefined ? [] : [wish.audience],
        expirationSeconds: wish.expirationSeconds,
        boundObjectRef: {
          apiVersion: 'v1',
          kind: 'Pod',
          name: pod.metadata?.name ?? '',
          uid: pod.metadata?.uid ?? '',
        },
      },
    };
    const accounts = resources.serviceaccounts as Resource<ApiObject>;
    const namespace = pod.metadata?.namespace ?? 'default';
    const answer = (await withDeadline(this.#clock, answerMsMax, undefined, (signal) =>
      this.#client.create(accounts, request, { namespace, name: account, subresource: 'token', signal }),
    )) as TokenRequest;
    const token = answer.status?.token;
    if (token === undefined)
      throw new Error(`the API server answered a token request for "${account}" without a token`);
    const expiresAtMs = Date.parse(answer.status?.expirationTimestamp ?? '');
    const lifeMs = Number.isNaN(expiresAtMs) ? wish.expirationSeconds * 1000 : expiresAtMs - nowMs;
    const renewInMs = Math.min(lifeMs * lifeShare, ageMsMax) - this.#random.next() * Math.min(jitterMsMax, lifeMs / 10);
    return { token, renewAtMs: nowMs + renewInMs, expiresAtMs: nowMs + lifeMs };
  }
}

// Brings a container's image to the node, as its pull policy says. Failures come back as the reasons that upstream
// shows; each pod and image has a back-off of its own.
import type { Container, Pod } from '@wherry/api';
import { type Clock, formatDuration } from '@wherry/daemon';
import { type BackoffEntry, backoffLeftMs, nextBackoff } from '../plan/backoff.ts';
import type { StartFailure } from '../plan/container-status.ts';
import { type ImageReference, parseImageReference, pullPolicy, registryAuth } from '../plan/image-reference.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import type { References } from '../pods/references.ts';
import { Gate } from '../runtime/gate.ts';
import type { ImageFacts, PodIdentity, RegistryAuth, Runtime } from '../runtime/port.ts';

export type ImageOutcome =
  | { readonly kind: 'present'; readonly image: ImageFacts; readonly reference: string }
  | { readonly kind: 'failed'; readonly failure: StartFailure; readonly retryAfterMs: number };

export interface ImagePullerOptions {
  readonly runtime: Runtime;
  readonly references: References;
  readonly events: PodEvents;
  readonly clock: Clock;
}

/** Pulls at once; more would only share the same line. */
const pullsMax = 4;
/** The failure itself is shown so long before the back-off takes its place, however often the pod is looked at. */
const failureShownMs = 2_000;
/** How often a node looks again for an image that it may not pull. */
const neverPullRetryMs = 10_000;
const entriesMax = 2_000;

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #gate = new Gate(pullsMax);
  readonly #failures = new Map<
    string,
    { readonly entry: BackoffEntry; readonly failedAtMs: number; readonly message: string }
  >();

  constructor(options: ImagePullerOptions) {
    this.#options = options;
  }

  async ensure(pod: Pod, container: Container, signal: AbortSignal): Promise<ImageOutcome> {
    const { runtime, events } = this.#options;
    const name = container.image ?? '';
    const reference = parseImageReference(name);
    if (reference === undefined) {
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
      events.container(pod, container.name, 'Warning', 'InspectFailed', message);
      return { kind: 'failed', failure: { reason: 'InvalidImageName', message }, retryAfterMs: neverPullRetryMs };
    }
    const policy = pullPolicy(name, container.imagePullPolicy);
    const present = policy === 'Always' ? undefined : await runtime.image(reference.text);
    if (present !== undefined) {
      events.container(pod, container.name, 'Normal', 'Pulled', `Container image "${name}" already present on machine`);
      return { kind: 'present', image: present, reference: reference.text };
    }
    if (policy === 'Never') {
      const message = `Container image "${name}" is not present with pull policy of Never`;
      events.container(pod, container.name, 'Warning', 'ErrImageNeverPull', message);
      return { kind: 'failed', failure: { reason: 'ErrImageNeverPull', message }, retryAfterMs: neverPullRetryMs };
    }
    return this.#pull(pod, container, reference, signal);
  }

  async #pull(pod: Pod, container: Container, reference: ImageReference, signal: AbortSignal): Promise<ImageOutcome> {
    const { runtime, events, clock } = this.#options;
    const name = container.image ?? '';
    const key = `${pod.metadata?.uid ?? ''} ${reference.text}`;
    const failed = this.#failures.get(key);
    const leftMs = failed === undefined ? 0 : backoffLeftMs(failed.entry, failed.failedAtMs, clock.now());
    const shownMs = failed === undefined ? 0 : failureShownMs - (clock.now() - failed.failedAtMs);
    if (failed !== undefined && shownMs > 0) {
      return { kind: 'failed', failure: { reason: 'ErrImagePull', message: failed.message }, retryAfterMs: shownMs };
    }
    if (failed !== undefined && leftMs > 0) {
      events.container(pod, container.name, 'Normal', 'BackOff', `Back-off pulling image "${name}"`);
      const message = `Back-off pulling image "${name}": ErrImagePull: ${failed.message}`;
      return { kind: 'failed', failure: { reason: 'ImagePullBackOff', message }, retryAfterMs: leftMs };
    }
    events.container(pod, container.name, 'Normal', 'Pulling', `Pulling image "${name}"`);
    const askedAtMs = clock.monotonicMs();
    try {
      const auth = await this.#auth(pod, reference);
      const pullMs = await this.#gate.run(async () => {
        const startedAtMs = clock.monotonicMs();
        await runtime.pullImage(reference.text, auth, signal, { pod: identityOf(pod), container: container.name });
        return clock.monotonicMs() - startedAtMs;
      });
      const image = await runtime.image(reference.text);
      if (image === undefined) throw new Error(`the engine does not have image "${name}" after pulling it`);
      this.#failures.delete(key);
      const total = formatDuration(Math.round(clock.monotonicMs() - askedAtMs));
      const words = `Successfully pulled image "${name}" in ${formatDuration(Math.round(pullMs))} (${total} including waiting). Image size: ${image.sizeBytes} bytes.`;
      events.container(pod, container.name, 'Normal', 'Pulled', words);
      return { kind: 'present', image, reference: reference.text };
    } catch (error) {
      signal.throwIfAborted();
      return this.#failed(pod, container, key, error);
    }
  }

  #failed(pod: Pod, container: Container, key: string, error: unknown): ImageOutcome {
    const { events, clock } = this.#options;
    const nowMs = clock.now();
    const previous = this.#failures.get(key);
    const words = error instanceof Error ? error.message : String(error);
    const message = `failed to pull image "${container.image ?? ''}": ${words}`;
    const entry = nextBackoff(previous?.entry, nowMs, nowMs);
    this.#failures.delete(key);
    this.#failures.set(key, { entry, failedAtMs: nowMs, message });
    const oldest = this.#failures.keys().next().value;
    if (this.#failures.size > entriesMax && oldest !== undefined) this.#failures.delete(oldest);
    events.container(
      pod,
      container.name,
      'Warning',
      'Failed',
      `Failed to pull image "${container.image ?? ''}": ${words}`,
    );
    return { kind: 'failed', failure: { reason: 'ErrImagePull', message }, retryAfterMs: failureShownMs };
  }

  async #auth(pod: Pod, reference: ImageReference): Promise<RegistryAuth | undefined> {
    const names = (pod.spec?.imagePullSecrets ?? []).map((secret) => secret.name ?? '').filter((name) => name !== '');
    if (names.length === 0) return undefined;
    const namespace = pod.metadata?.namespace ?? 'default';
    const fromMs = this.#options.clock.monotonicMs();
    const secrets = await Promise.all(names.map((name) => this.#options.references.secret(namespace, name, fromMs)));
    const configs = secrets.flatMap((secret) => {
      const encoded = secret?.data?.['.dockerconfigjson'] ?? secret?.data?.['.dockercfg'];
      if (encoded === undefined) return [];
      const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
      return [parsed];
    });
    return registryAuth(configs, reference.registry);
  }
}

function identityOf(pod: Pod): PodIdentity {
  const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
  return { uid, name, namespace };
}

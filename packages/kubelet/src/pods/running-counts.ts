// kubelet_running_pods and kubelet_running_containers, counted by difference: one process may have thousands of pods.
import type { Metrics } from '@wherry/daemon';
import type { ContainerPhase, RuntimePod } from '../plan/runtime-state.ts';

export class RunningCounts {
  readonly #pods: ReturnType<Metrics['gauge']>;
  readonly #containers: ReturnType<Metrics['gauge']>;
  readonly #byPhase: Record<ContainerPhase, number> = { created: 0, running: 0, exited: 0, unknown: 0 };
  #running = 0;
  /** What the gauges say. */
  readonly #shown = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.#pods = metrics.gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox');
    this.#containers = metrics.gauge('kubelet_running_containers', 'Number of containers currently running', [
      'container_state',
    ]);
    this.#show();
  }

  replace(before: RuntimePod | undefined, after: RuntimePod | undefined): void {
    this.#add(before, -1);
    this.#add(after, 1);
    this.#show();
  }

  #add(pod: RuntimePod | undefined, sign: 1 | -1): void {
    if (pod === undefined) return;
    if (pod.sandboxes.some(({ ready }) => ready)) this.#running += sign;
    for (const { phase } of pod.containers) this.#byPhase[phase] += sign;
  }

  #show(): void {
    if (this.#shown.get('pods') !== this.#running) this.#pods.set(this.#running);
    this.#shown.set('pods', this.#running);
    for (const [phase, count] of Object.entries(this.#byPhase)) {
      if (this.#shown.get(phase) !== count) this.#containers.set({ container_state: phase }, count);
      this.#shown.set(phase, count);
    }
  }
}

import type { Pod } from '@wherry/api';
import { VerbError } from './verb-error.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** Names of all a pod's containers, as kubectl lists them in messages. */
export function containerNames({ spec }: Pod): readonly string[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])].map(
    ({ name }) => name,
  );
}

/**
 * The container that a verb means when it names one, or none.
 * @param say told which one was taken when there was a choice
 */
export function chosenContainer(pod: Pod, wanted: string | undefined, say: (text: string) => void): string {
  const all = containerNames(pod);
  if (wanted !== undefined) {
    if (!all.includes(wanted)) {
      throw new VerbError(`container ${wanted} not found in pod ${pod.metadata?.name}`);
    }
    return wanted;
  }
  const preferred = pod.metadata?.annotations?.[DEFAULT_CONTAINER];
  if (preferred !== undefined && all.includes(preferred)) return preferred;
  const [first = ''] = all;
  if (all.length > 1) say(`Defaulted container "${first}" out of: ${described(pod).join(', ')}`);
  return first;
}

function described({ spec }: Pod): readonly string[] {
  return [
    ...(spec?.containers ?? []).map(({ name }) => name),
    ...(spec?.initContainers ?? []).map(({ name }) => `${name} (init)`),
    ...(spec?.ephemeralContainers ?? []).map(({ name }) => `${name} (ephem)`),
  ];
}

// Events about pods and their containers, in upstream's words.
import type { ObjectReference, Pod } from '@wherry/api';

export type EventType = 'Normal' | 'Warning';

/** The part of an EventRecorder that is needed here. */
export interface EventSink {
  event(regarding: ObjectReference, type: EventType, reason: string, message: string): void;
}

export interface PodEvents {
  pod(pod: Pod, type: EventType, reason: string, message: string): void;
  container(pod: Pod, name: string, type: EventType, reason: string, message: string): void;
}

function reference(pod: Pod, fieldPath?: string): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(fieldPath !== undefined && { fieldPath }),
  };
}

export function podEvents(sink: EventSink): PodEvents {
  return {
    pod: (pod, type, reason, message) => sink.event(reference(pod), type, reason, message),
    container: (pod, name, type, reason, message) => {
      const isInit = (pod.spec?.initContainers ?? []).some((container) => container.name === name);
      sink.event(reference(pod, `spec.${isInit ? 'initContainers' : 'containers'}{${name}}`), type, reason, message);
    },
  };
}

/** `name_namespace(uid)`, as upstream names a pod in messages. */
export function podDescription(pod: Pod): string {
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  return `${name}_${namespace}(${uid})`;
}

import { type ReplicationController, resources } from '@wherry/api';
import { ownerOf } from '../../pods/ownership.ts';
import { BY_CONTROLLER } from '../../spine/caches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { startReplicaController } from '../replica-set/controller.ts';

/** ReplicationControllers are ReplicaSets with a plain map as their selector. */
export function startReplicationControllers(context: ControllerContext): void {
  startReplicaController<ReplicationController>(context, {
    name: 'replicationcontroller-controller',
    component: 'replication-controller',
    apiVersion: 'v1',
    kind: 'ReplicationController',
    resource: resources.replicationcontrollers,
    workers: context.options.concurrent.replicationController,
    target: (object) =>
      object.spec === undefined
        ? undefined
        : {
            owner: ownerOf('v1', 'ReplicationController', object),
            generation: object.metadata?.generation ?? 0,
            replicas: object.spec.replicas ?? 1,
            minReadySeconds: object.spec.minReadySeconds ?? 0,
            selector: { matchLabels: object.spec.selector ?? object.spec.template?.metadata?.labels ?? {} },
            template: object.spec.template ?? {},
            status: object.status ?? { replicas: 0 },
            countsTerminating: false,
          },
    withStatus: (object, status) => ({ ...object, status }),
    related: (object, { caches }) => caches.pods.byIndex(BY_CONTROLLER, object.metadata?.uid ?? ''),
  });
}

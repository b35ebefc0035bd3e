import type { ApiObject, OwnerReference, Resource } from '@wherry/api';

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** Where an object can be found. */
export interface Coordinates {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** One object. `observed` is false for an owner that is only known by a reference to it. */
export interface GraphNode {
  readonly uid: string;
  coordinates: Coordinates;
  resource: Resource | undefined;
  owners: readonly OwnerReference[];
  finalizers: readonly string[];
  resourceVersion: string | undefined;
  beingDeleted: boolean;
  observed: boolean;
  readonly dependents: Set<GraphNode>;
}

/** What must be looked at after a change. */
export interface Affected {
  /** Nodes that may have to be deleted, or whose deletion may go on. */
  readonly judge: ReadonlySet<string>;
  /** Owners whose dependents are to be orphaned. */
  readonly orphan: ReadonlySet<string>;
}

export function waitsForDependents(node: GraphNode): boolean {
  return node.beingDeleted && node.finalizers.includes(FOREGROUND_FINALIZER);
}

function orphansDependents(node: GraphNode): boolean {
  return node.beingDeleted && node.finalizers.includes(ORPHAN_FINALIZER);
}

/** Who owns whom, by uid, for every object of the cluster. Kept by events alone; it decides nothing. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** The object was seen, new or changed. */
  upsert(resource: Resource, object: ApiObject): Affected {
    const { uid = '', name = '', namespace = '', ownerReferences = [], finalizers = [] } = object.metadata ?? {};
    const judge = new Set<string>();
    const orphan = new Set<string>();
    const known = this.#nodes.get(uid);
    const before =
      known?.observed === true ? { waits: waitsForDependents(known), orphans: orphansDependents(known) } : undefined;
    const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    const coordinates: Coordinates = { apiVersion, kind: resource.kind, namespace, name, uid };
    const node: GraphNode = known ?? emptyNode(coordinates);
    if (known !== undefined && !known.observed) this.#judgeMisled(known, coordinates, judge);
    const oldOwners = node.owners;
    Object.assign(node, {
      coordinates,
      resource,
      owners: ownerReferences,
      finalizers,
      resourceVersion: object.metadata?.resourceVersion,
      beingDeleted: object.metadata?.deletionTimestamp !== undefined,
      observed: true,
    });
    this.#nodes.set(uid, node);
    this.#relink(node, oldOwners, judge);
    if (waitsForDependents(node) && before?.waits !== true) {
      judge.add(uid);
      for (const dependent of node.dependents) judge.add(dependent.uid);
    }
    if (orphansDependents(node) && before?.orphans !== true) orphan.add(uid);
    return { judge, orphan };
  }

  /** The object is gone, or never was (an owner known by reference only). */
  remove(uid: string): Affected {
    const judge = new Set<string>();
    const node = this.#nodes.get(uid);
    if (node === undefined) return { judge, orphan: new Set() };
    this.#nodes.delete(uid);
    for (const owner of node.owners) this.#unlink(node, owner, judge);
    for (const dependent of node.dependents) judge.add(dependent.uid);
    // Dependents keep pointing at it; should it appear after all, they are linked to it again.
    if (node.dependents.size > 0) this.#keepPlace(node);
    return { judge, orphan: new Set() };
  }

  /** A placeholder so that dependents can still be found under the uid; judged again when it is asked for. */
  #keepPlace(node: GraphNode): void {
    const place = emptyNode(node.coordinates);
    for (const dependent of node.dependents) place.dependents.add(dependent);
    this.#nodes.set(node.uid, place);
  }

  /** Dependents that gave other coordinates for this uid have a wrong reference. */
  #judgeMisled(place: GraphNode, actual: Coordinates, judge: Set<string>): void {
    for (const dependent of place.dependents) {
      const reference = dependent.owners.find((owner) => owner.uid === place.uid);
      if (reference !== undefined && !pointsAt(reference, dependent, actual)) judge.add(dependent.uid);
    }
  }

  #relink(node: GraphNode, oldOwners: readonly OwnerReference[], judge: Set<string>): void {
    const wanted = new Set(node.owners.map((owner) => owner.uid));
    for (const old of oldOwners) if (!wanted.has(old.uid)) this.#unlink(node, old, judge);
    for (const reference of node.owners) {
      const owner = this.#nodes.get(reference.uid);
      if (owner === undefined) {
        const place = emptyNode(coordinatesOf(reference, node));
        place.dependents.add(node);
        this.#nodes.set(reference.uid, place);
        judge.add(reference.uid);
        continue;
      }
      const isNew = !owner.dependents.has(node);
      owner.dependents.add(node);
      if (!owner.observed && isNew) judge.add(reference.uid);
      if (owner.observed && (waitsForDependents(owner) || !pointsAt(reference, node, owner.coordinates))) {
        if (isNew) judge.add(node.uid);
      }
      const before = oldOwners.find((old) => old.uid === reference.uid);
      const unblocked = before?.blockOwnerDeletion === true && reference.blockOwnerDeletion !== true;
      if (unblocked && waitsForDependents(owner)) judge.add(owner.uid);
    }
  }

  #unlink(node: GraphNode, reference: OwnerReference, judge: Set<string>): void {
    const owner = this.#nodes.get(reference.uid);
    if (owner === undefined) return;
    owner.dependents.delete(node);
    if (waitsForDependents(owner)) judge.add(owner.uid);
    if (!owner.observed && owner.dependents.size === 0) this.#nodes.delete(owner.uid);
  }
}

function emptyNode(coordinates: Coordinates): GraphNode {
  return {
    uid: coordinates.uid,
    coordinates,
    resource: undefined,
    owners: [],
    finalizers: [],
    resourceVersion: undefined,
    beingDeleted: false,
    observed: false,
    dependents: new Set(),
  };
}

/** Where a reference points: a namespaced owner is always in its dependent's namespace. */
export function coordinatesOf(reference: OwnerReference, dependent: GraphNode): Coordinates {
  const { apiVersion, kind, name, uid } = reference;
  return { apiVersion, kind, name, uid, namespace: dependent.coordinates.namespace };
}

/** Whether the object found under a reference's uid is the one it describes; versions of one group are alike. */
export function pointsAt(reference: OwnerReference, dependent: GraphNode, actual: Coordinates): boolean {
  const groupOf = (apiVersion: string) =>
    apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return (
    reference.kind === actual.kind &&
    reference.name === actual.name &&
    groupOf(reference.apiVersion) === groupOf(actual.apiVersion) &&
    (actual.namespace === '' || actual.namespace === dependent.coordinates.namespace)
  );
}

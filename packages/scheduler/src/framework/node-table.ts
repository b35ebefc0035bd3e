import { amounts, type Node } from '@wherry/api';
import { PodCounts } from './pod-counts.ts';
import { imageName, type PodInfo } from './pod-info.ts';
import { TopologyColumn } from './topology-column.ts';

const ROWS_START = 64;
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const REGION_LABEL = 'topology.kubernetes.io/region';

/** What a node offers and what its pods take, one number per row (CPU in millicores, the rest in units). */
type Column = 'cpu' | 'memory' | 'ephemeralStorage' | 'pods';

/** How an image is spread over nodes. */
export interface ImageState {
  sizeBytes: number;
  nodes: number;
}

/**
 * All nodes with the pods on them, assumed ones included, as columns of numbers: a check of one node is a few array
 * reads. Rows are changed in place when a node or pod changes and used again when a node goes.
 */
export class NodeTable {
  allocatable = newColumns(ROWS_START);
  requested = newColumns(ROWS_START);
  nonZeroCpu = new Float64Array(ROWS_START);
  nonZeroMemory = new Float64Array(ROWS_START);
  /** Undefined in rows of nodes that are not known (yet), but have pods. */
  readonly nodes: (Node | undefined)[] = [];
  readonly names: string[] = [];
  readonly extendedAllocatable: Map<string, number>[] = [];
  readonly extendedRequested: Map<string, number>[] = [];
  readonly pods: Map<string, PodInfo>[] = [];
  readonly hostPorts: Map<string, number>[] = [];
  readonly images = new Map<string, ImageState>();
  readonly imagesOf: ReadonlyMap<string, number>[] = [];
  readonly podsWithAffinity = new Map<PodInfo, number>();
  readonly podsWithRequiredAntiAffinity = new Map<PodInfo, number>();
  readonly counts = new PodCounts(this);
  readonly #rows = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #topologies = new Map<string, TopologyColumn>();
  #order: Int32Array | undefined;

  rowOf(name: string): number | undefined {
    const row = this.#rows.get(name);
    return row === undefined || this.nodes[row] === undefined ? undefined : row;
  }

  /** Rows of known nodes, zones taking turns as upstream's node tree does, so that a partial search meets all zones. */
  get order(): Int32Array {
    this.#order ??= this.#interleaveZones();
    return this.#order;
  }

  get rowsEnd(): number {
    return this.names.length;
  }

  setNode(node: Node): void {
    const name = node.metadata?.name ?? '';
    const row = this.#rowFor(name);
    const known = this.nodes[row];
    this.nodes[row] = node;
    if (known === undefined || zoneOf(known) !== zoneOf(node)) this.#order = undefined;
    const allocatable = amounts(node.status?.allocatable);
    this.allocatable.cpu[row] = allocatable['cpu'] ?? 0;
    this.allocatable.memory[row] = allocatable['memory'] ?? 0;
    this.allocatable.ephemeralStorage[row] = allocatable['ephemeral-storage'] ?? 0;
    this.allocatable.pods[row] = allocatable['pods'] ?? 0;
    this.extendedAllocatable[row] = new Map(Object.entries(allocatable));
    this.#setImages(row, node);
    for (const column of this.#topologies.values()) column.set(row, node.metadata?.labels);
  }

  removeNode(name: string): void {
    const row = this.#rows.get(name);
    if (row === undefined || this.nodes[row] === undefined) return;
    this.nodes[row] = undefined;
    this.#order = undefined;
    this.#dropImages(row);
    for (const column of this.#topologies.values()) column.set(row, undefined);
    this.#freeIfEmpty(row);
  }

  addPod(pod: PodInfo, nodeName: string): void {
    const row = this.#rowFor(nodeName);
    const pods = this.pods[row];
    if (pods === undefined || pods.has(pod.key))
      throw new Error(`Cannot add pod ${pod.key}: it is on ${nodeName} already`);
    pods.set(pod.key, pod);
    this.#count(pod, row, 1);
    if (pod.hasAffinity) this.podsWithAffinity.set(pod, row);
    if (pod.antiAffinity.required.length > 0) this.podsWithRequiredAntiAffinity.set(pod, row);
  }

  removePod(key: string, nodeName: string): PodInfo | undefined {
    const row = this.#rows.get(nodeName);
    const pod = row === undefined ? undefined : this.pods[row]?.get(key);
    if (row === undefined || pod === undefined) return undefined;
    this.pods[row]?.delete(key);
    this.#count(pod, row, -1);
    this.podsWithAffinity.delete(pod);
    this.podsWithRequiredAntiAffinity.delete(pod);
    this.#freeIfEmpty(row);
    return pod;
  }

  /** Which nodes share a value of this label. */
  topology(key: string): TopologyColumn {
    let column = this.#topologies.get(key);
    if (column === undefined) {
      column = new TopologyColumn(key);
      for (let row = 0; row < this.rowsEnd; row++) column.set(row, this.nodes[row]?.metadata?.labels);
      this.#topologies.set(key, column);
    }
    return column;
  }

  #count(pod: PodInfo, row: number, sign: 1 | -1): void {
    const { requested } = this;
    add(requested.cpu, row, sign * pod.cpu);
    add(requested.memory, row, sign * pod.memory);
    add(requested.ephemeralStorage, row, sign * pod.ephemeralStorage);
    add(requested.pods, row, sign);
    add(this.nonZeroCpu, row, sign * pod.nonZeroCpu);
    add(this.nonZeroMemory, row, sign * pod.nonZeroMemory);
    for (const [name, amount] of pod.extended) addTo(this.extendedRequested[row], name, sign * amount);
    for (const port of pod.hostPorts) addTo(this.hostPorts[row], `${port.protocol}/${port.port}/${port.ip}`, sign);
    this.counts.changed(pod, row, sign);
  }

  #rowFor(name: string): number {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row = this.#free.pop() ?? this.names.length;
    if (row >= this.nonZeroCpu.length) this.#grow();
    this.#rows.set(name, row);
    this.names[row] = name;
    this.nodes[row] = undefined;
    this.pods[row] = new Map();
    this.extendedAllocatable[row] = new Map();
    this.extendedRequested[row] = new Map();
    this.hostPorts[row] = new Map();
    this.imagesOf[row] = new Map();
    return row;
  }

  #freeIfEmpty(row: number): void {
    if (this.nodes[row] !== undefined || (this.pods[row]?.size ?? 0) > 0) return;
    this.#rows.delete(this.names[row] ?? '');
    this.#free.push(row);
  }

  #grow(): void {
    const size = this.nonZeroCpu.length * 2;
    this.allocatable = grown(this.allocatable, size);
    this.requested = grown(this.requested, size);
    this.nonZeroCpu = longer(this.nonZeroCpu, size);
    this.nonZeroMemory = longer(this.nonZeroMemory, size);
  }

  #setImages(row: number, node: Node): void {
    this.#dropImages(row);
    const images = new Map<string, number>();
    for (const { names, sizeBytes = 0 } of node.status?.images ?? []) {
      for (const name of names ?? []) images.set(imageName(name), sizeBytes);
    }
    this.imagesOf[row] = images;
    for (const [name, sizeBytes] of images) {
      const state = this.images.get(name) ?? { sizeBytes, nodes: 0 };
      state.nodes++;
      this.images.set(name, state);
    }
  }

  #dropImages(row: number): void {
    for (const name of this.imagesOf[row]?.keys() ?? []) {
      const state = this.images.get(name);
      if (state !== undefined && --state.nodes === 0) this.images.delete(name);
    }
    this.imagesOf[row] = new Map();
  }

  #interleaveZones(): Int32Array {
    const zones = new Map<string, number[]>();
    for (const row of this.#rows.values()) {
      const node = this.nodes[row];
      if (node === undefined) continue;
      const zone = zoneOf(node);
      const rows = zones.get(zone);
      if (rows === undefined) zones.set(zone, [row]);
      else rows.push(row);
    }
    const order: number[] = [];
    const longest = Math.max(0, ...[...zones.values()].map((rows) => rows.length));
    for (let turn = 0; turn < longest; turn++) {
      for (const rows of zones.values()) {
        const row = rows[turn];
        if (row !== undefined) order.push(row);
      }
    }
    return Int32Array.from(order);
  }
}

function zoneOf(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  return `${labels[REGION_LABEL] ?? ''}\0${labels[ZONE_LABEL] ?? ''}`;
}

function newColumns(size: number): Record<Column, Float64Array<ArrayBuffer>> {
  return {
    cpu: new Float64Array(size),
    memory: new Float64Array(size),
    ephemeralStorage: new Float64Array(size),
    pods: new Float64Array(size),
  };
}

function grown(columns: Record<Column, Float64Array>, size: number): Record<Column, Float64Array<ArrayBuffer>> {
  return {
    cpu: longer(columns.cpu, size),
    memory: longer(columns.memory, size),
    ephemeralStorage: longer(columns.ephemeralStorage, size),
    pods: longer(columns.pods, size),
  };
}

function longer(column: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size);
  result.set(column);
  return result;
}

function add(column: Float64Array, row: number, amount: number): void {
  column[row] = (column[row] ?? 0) + amount;
}

function addTo(amountsByName: Map<string, number> | undefined, name: string, amount: number): void {
  const sum = (amountsByName?.get(name) ?? 0) + amount;
  if (sum === 0) amountsByName?.delete(name);
  else amountsByName?.set(name, sum);
}

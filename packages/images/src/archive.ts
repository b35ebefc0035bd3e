import { createHash } from 'node:crypto';
import type { Architecture } from './pause/program.ts';
import { type LayerEntry, tarPieces } from './tar.ts';

/** An image made from files on this machine. */
export interface ImageSource {
  /** For example "wherry/echo:1". */
  readonly reference: string;
  /** Changes whenever the contents do. Kept as a label, so that an image that is there already is not built again. */
  readonly contentKey: string;
  readonly config: ImageConfig;
  /** Lowest first. Called only when the image must be built. Images that share a layer object share its bytes. */
  readonly layers: () => Promise<readonly Layer[]>;
}

export type Layer = readonly LayerEntry[];

/** The image configuration's own names, as in the OCI image specification. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

export const contentLabel = 'io.wherry.content';

/** The images as one archive in the layout of `docker save`, in pieces. */
export async function imageArchive(
  sources: readonly ImageSource[],
  architecture: Architecture,
): Promise<readonly Uint8Array[]> {
  const manifest: { Config: string; RepoTags: string[]; Layers: string[] }[] = [];
  const outer: LayerEntry[] = [];
  const packed = new Map<Layer, { readonly digest: string; readonly path: string }>();
  for (const source of sources) {
    const layers = (await source.layers()).map((layer) => {
      const known = packed.get(layer);
      if (known !== undefined) return known;
      const pieces = tarPieces(layer);
      const digest = sha256(pieces);
      const added = { digest, path: `${digest}/layer.tar` };
      packed.set(layer, added);
      outer.push({ kind: 'file', path: added.path, mode: 0o644, content: pieces });
      return added;
    });
    const config = new TextEncoder().encode(
      JSON.stringify({
        architecture,
        os: 'linux',
        created: '1970-01-01T00:00:00Z',
        config: { ...source.config, Labels: { ...source.config.Labels, [contentLabel]: source.contentKey } },
        rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${layer.digest}`) },
        history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'wherry' })),
      }),
    );
    const configPath = `${sha256([config])}.json`;
    outer.push({ kind: 'file', path: configPath, mode: 0o644, content: config });
    manifest.push({ Config: configPath, RepoTags: [source.reference], Layers: layers.map((layer) => layer.path) });
  }
  const content = new TextEncoder().encode(JSON.stringify(manifest));
  return tarPieces([...outer, { kind: 'file', path: 'manifest.json', mode: 0o644, content }]);
}

function sha256(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

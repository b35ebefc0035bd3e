// hostPath volumes: a path of the node, checked or made as its type says.
import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '@wherry/api';
import { VolumeError } from '../plan/volume-payload.ts';

type Kind = 'directory' | 'file' | 'socket' | 'character device' | 'block device' | 'other' | 'nothing';

async function kindOf(path: string): Promise<Kind> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) return 'directory';
    if (facts.isFile()) return 'file';
    if (facts.isSocket()) return 'socket';
    if (facts.isCharacterDevice()) return 'character device';
    return facts.isBlockDevice() ? 'block device' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
}

const wanted: Readonly<Record<string, Kind>> = {
  Directory: 'directory',
  File: 'file',
  Socket: 'socket',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};

/** The path once it is what the type asks for. @throws VolumeError with upstream's words if it is not */
export async function hostPath(source: HostPathVolumeSource): Promise<string> {
  const { path, type = '' } = source;
  const kind = await kindOf(path);
  if (type === 'DirectoryOrCreate' && kind === 'nothing') await mkdir(path, { recursive: true, mode: 0o755 });
  else if (type === 'DirectoryOrCreate' && kind !== 'directory') throw mismatch(path, 'directory');
  else if (type === 'FileOrCreate' && kind === 'nothing') await (await open(path, 'a', 0o644)).close();
  else if (type === 'FileOrCreate' && kind !== 'file') throw mismatch(path, 'file');
  const asked = wanted[type];
  if (asked !== undefined && kind !== asked) throw mismatch(path, asked);
  return path;
}

function mismatch(path: string, kind: string): VolumeError {
  return new VolumeError(`hostPath type check failed: ${path} is not a ${kind}`);
}

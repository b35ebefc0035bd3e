import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { toYaml } from '../printers/yaml.ts';
import { VerbError } from './verb-error.ts';

type Fields = Readonly<Record<string, unknown>>;
export interface NamedEntry {
  readonly name: string;
}
export interface ContextEntry extends NamedEntry {
  readonly context: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
}
/** A kubeconfig as its file holds it; what is not known here is kept. */
export interface KubeconfigFile extends Fields {
  readonly 'current-context'?: string;
  readonly clusters?: readonly (NamedEntry & { readonly cluster?: Fields })[];
  readonly users?: readonly (NamedEntry & { readonly user?: Fields })[];
  readonly contexts?: readonly ContextEntry[];
}

export function readKubeconfigFile(path: string): KubeconfigFile {
  try {
    return (load(readFileSync(path, 'utf8')) ?? {}) as KubeconfigFile;
  } catch (cause) {
    throw new VerbError(`cannot read the kubeconfig ${path}`, { cause });
  }
}

/** Replaces the file in one step: whoever reads it meanwhile gets the old one or the new one. */
export function writeKubeconfigFile(path: string, file: KubeconfigFile): void {
  const draft = `${path}.new`;
  writeFileSync(draft, toYaml(file), { mode: 0o600 });
  renameSync(draft, path);
}

const HIDDEN: Readonly<Record<string, string>> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
};

/** Without keys and certificates. */
export function redacted(file: KubeconfigFile): KubeconfigFile {
  const hide = (fields: Fields | undefined): Fields =>
    Object.fromEntries(Object.entries(fields ?? {}).map(([key, value]) => [key, HIDDEN[key] ?? value]));
  return {
    ...file,
    clusters: (file.clusters ?? []).map((entry) => ({ ...entry, cluster: hide(entry.cluster) })),
    users: (file.users ?? []).map((entry) => ({ ...entry, user: hide(entry.user) })),
  };
}

/** Only the current context, its cluster and its user. @throws VerbError when there is none */
export function minified(file: KubeconfigFile): KubeconfigFile {
  const current = file.contexts?.find(({ name }) => name === file['current-context']);
  if (current === undefined) throw new VerbError('current-context must exist in order to minify');
  return {
    ...file,
    contexts: [current],
    clusters: (file.clusters ?? []).filter(({ name }) => name === current.context.cluster),
    users: (file.users ?? []).filter(({ name }) => name === current.context.user),
  };
}

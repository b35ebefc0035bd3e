import type { Context } from '../../context.ts';
import {
  type ContextEntry,
  type KubeconfigFile,
  minified,
  readKubeconfigFile,
  redacted,
  writeKubeconfigFile,
} from '../../kube/kubeconfig-file.ts';
import { kubeconfigFile } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { alignColumns } from '../../printers/columns.ts';
import { byBytes, goJson } from '../../printers/go-json.ts';
import { toYaml } from '../../printers/printer.ts';
import type { ConfigFlags, GetContextsFlags, SetContextFlags, ViewFlags } from '../config.ts';

function open(context: Context, flags: ConfigFlags): { readonly path: string; readonly file: KubeconfigFile } {
  const path = kubeconfigFile(context, flags);
  return { path, file: readKubeconfigFile(path) };
}

export async function view(context: Context, flags: ViewFlags): Promise<void> {
  const { file } = open(context, flags);
  const chosen = flags.minify === true ? minified(file) : file;
  const shown = flags.raw === true ? chosen : redacted(chosen);
  if (flags.output === 'json') context.terminal.out(goJson(shown, 4));
  else if (flags.output === 'yaml') await context.terminal.write(toYaml(shown));
  else throw new VerbError(`--output must be yaml or json, not "${flags.output}"`);
}

export function currentContext(context: Context, flags: ConfigFlags): void {
  const name = open(context, flags).file['current-context'] ?? '';
  if (name === '') throw new VerbError('current-context is not set');
  context.terminal.out(name);
}

export function getContexts(context: Context, names: readonly string[], flags: GetContextsFlags): void {
  const { file } = open(context, flags);
  const all = file.contexts ?? [];
  const missing = names.find((name) => !all.some((one) => one.name === name));
  if (missing !== undefined) throw new VerbError(`context ${missing} not found`);
  const shown = all
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .sort((a, b) => byBytes(a.name, b.name));
  if (flags.output === 'name') {
    for (const { name } of shown) context.terminal.out(name);
    return;
  }
  if (flags.output !== undefined) throw new VerbError(`output must be one of '' or 'name': ${flags.output}`);
  const rows = shown.map(({ name, context: { cluster = '', user = '', namespace = '' } }) => [
    name === file['current-context'] ? '*' : '',
    name,
    cluster,
    user,
    namespace,
  ]);
  const heading = ['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE'];
  for (const line of alignColumns(flags.headers ? [heading, ...rows] : rows)) context.terminal.out(line);
}

export function getNames(context: Context, what: 'clusters' | 'users', flags: ConfigFlags): void {
  const entries = open(context, flags).file[what] ?? [];
  context.terminal.out('NAME');
  for (const { name } of [...entries].sort((a, b) => byBytes(a.name, b.name))) context.terminal.out(name);
}

export function useContext(context: Context, name: string, flags: ConfigFlags): void {
  const { path, file } = open(context, flags);
  if (file.contexts?.some((one) => one.name === name) !== true) {
    throw new VerbError(`no context exists with the name: "${name}"`);
  }
  writeKubeconfigFile(path, { ...file, 'current-context': name });
  context.terminal.out(`Switched to context "${name}".`);
}

export function setContext(context: Context, given: string | undefined, flags: SetContextFlags): void {
  const { path, file } = open(context, flags);
  if (flags.current === true && given !== undefined)
    throw new VerbError('you cannot specify both a context name and --current');
  const name = flags.current === true ? file['current-context'] : given;
  if (name === undefined || name === '') {
    throw new VerbError(
      flags.current === true ? 'no current context is set' : 'you must specify a non-empty context name or --current',
    );
  }
  const { namespace, cluster, user } = flags;
  const changes = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(user === undefined ? {} : { user }),
  };
  const all = file.contexts ?? [];
  const isKnown = all.some((one) => one.name === name);
  const change = (entry: ContextEntry): ContextEntry => ({ ...entry, context: { ...entry.context, ...changes } });
  const contexts = isKnown
    ? all.map((entry) => (entry.name === name ? change(entry) : entry))
    : [...all, change({ name, context: {} })];
  writeKubeconfigFile(path, { ...file, contexts });
  context.terminal.out(`Context "${name}" ${isKnown ? 'modified' : 'created'}.`);
}

export function renameContext(context: Context, name: string, newName: string, flags: ConfigFlags): void {
  const { path, file } = open(context, flags);
  const all = file.contexts ?? [];
  if (!all.some((one) => one.name === name)) {
    throw new VerbError(`cannot rename the context "${name}", it's not in ${path}`);
  }
  if (all.some((one) => one.name === newName)) {
    throw new VerbError(`cannot rename the context "${name}", the context "${newName}" already exists in ${path}`);
  }
  const contexts = all.map((entry) => (entry.name === name ? { ...entry, name: newName } : entry));
  const current = file['current-context'] === name ? newName : file['current-context'];
  writeKubeconfigFile(path, { ...file, contexts, ...(current === undefined ? {} : { 'current-context': current }) });
  context.terminal.out(`Context "${name}" renamed to "${newName}".`);
}

export function deleteContext(context: Context, name: string, flags: ConfigFlags): void {
  const { path, file } = open(context, flags);
  const all = file.contexts ?? [];
  if (!all.some((one) => one.name === name)) throw new VerbError(`cannot delete context ${name}, not in ${path}`);
  if (file['current-context'] === name) {
    context.terminal.err(
      'warning: this removed your active context, use "wherry config use-context" to select a different one',
    );
  }
  writeKubeconfigFile(path, { ...file, contexts: all.filter((one) => one.name !== name) });
  context.terminal.out(`deleted context ${name} from ${path}`);
}

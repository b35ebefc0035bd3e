import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  /** Specifiers of static and dynamic imports and re-exports; `typeOnly` when nothing remains at run time. */
  readonly imports: readonly { readonly specifier: string; readonly typeOnly: boolean }[];
}

const IMPORT = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

/** Every TypeScript source below a folder of the repository, generated ones aside. */
export function readSources(folder: string): Source[] {
  const paths = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules') && !path.includes('/generated/'));
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const imports = [...withoutComments(text).matchAll(IMPORT)].map((match) => ({
      specifier: match[3] ?? match[4] ?? '',
      typeOnly: match[2] !== undefined,
    }));
    return { path, text, imports };
  });
}

/** Source text with comments and the contents of string literals blanked, so that words in prose do not count. */
export function codeOnly(text: string): string {
  return withoutComments(text).replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1');
}

/** `packages/x/src/**` with `*` for one path segment, matching a file or everything below a folder. */
export function matches(path: string, pattern: string): boolean {
  const expression = pattern.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]+');
  return new RegExp(`^${expression}(/|$)`).test(path);
}

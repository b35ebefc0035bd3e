import { readFileSync } from 'node:fs';
import { VerbError } from '../kube/verb-error.ts';

/** Output formats that print objects; tables are the server's work. */
export type OutputFormat =
  | { readonly kind: 'table'; readonly wide: boolean }
  | { readonly kind: 'json' | 'yaml' | 'name' }
  | { readonly kind: 'jsonpath' | 'jsonpath-as-json'; readonly template: string }
  | {
      readonly kind: 'custom-columns';
      readonly columns: readonly { readonly heading: string; readonly path: string }[];
    };

const KNOWN = 'custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,wide,yaml';

/** @throws VerbError for an unknown format, naming those there are */
export function parseOutput(text: string | undefined): OutputFormat {
  if (text === undefined || text === '') return { kind: 'table', wide: false };
  if (text === 'wide') return { kind: 'table', wide: true };
  if (text === 'json' || text === 'yaml' || text === 'name') return { kind: text };
  const equals = text.indexOf('=');
  const [format, argument] = equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  switch (format) {
    case 'jsonpath':
    case 'jsonpath-as-json':
      if (argument === '') throw new VerbError(`template format specified but no template given`);
      return { kind: format, template: argument };
    case 'jsonpath-file':
      return { kind: 'jsonpath', template: readFileSync(argument, 'utf8') };
    case 'custom-columns':
      return { kind: format, columns: columnsOf(argument) };
    case 'custom-columns-file':
      return { kind: 'custom-columns', columns: columnsInFile(readFileSync(argument, 'utf8')) };
    default:
      throw new VerbError(
        `unable to match a printer suitable for the output format "${format}", allowed formats are: ${KNOWN}`,
      );
  }
}

function columnsOf(text: string) {
  if (text === '') throw new VerbError('custom-columns format specified but no custom columns given');
  return text.split(',').map((column) => {
    const colon = column.indexOf(':');
    if (colon < 1) throw new VerbError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`);
    return { heading: column.slice(0, colon), path: column.slice(colon + 1) };
  });
}

/** A line of headings, and one of paths below them. */
function columnsInFile(text: string) {
  const [headings = [], paths = []] = text.split('\n').map((line) => line.trim().split(/\s+/));
  if (headings.length !== paths.length) {
    throw new VerbError(
      `number of headers (${headings.length}) and field specifications (${paths.length}) don't match`,
    );
  }
  return headings.map((heading, index) => ({ heading, path: paths[index] ?? '' }));
}

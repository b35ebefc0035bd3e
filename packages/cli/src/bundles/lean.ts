import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Parts of libraries that wherry never comes to and that are loaded at their start; they would be half of a program.
 * dockerode: engines over ssh (with native code) and BuildKit sessions (over gRPC). prom-client: its set of metrics, and
 * pushing and adding them up. undici: HTTP/2 and the bodies of fetch().
 */
const unused: Readonly<Record<string, RegExp>> = {
  dockerode: /^(@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/,
  'docker-modem': /^ssh2$/,
  'prom-client': /^\.\/lib\/(pushgateway|cluster|defaultMetrics|summary)$/,
  undici: /^(\.\/client-h2\.js|\.\.\/web\/fetch\/body\.js)$/,
};

/**
 * All that `@wherry/client` takes from undici, two thirds less than its index: measured 4 MB of memory a process. Tests
 * and `node packages/x/src/main.ts` run on the whole of it.
 */
const leanUndici = `
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = require('undici/lib/api/api-request.js');
exports.Agent = require('undici/lib/dispatcher/agent.js');
`;

/** Keeps out of the bundles what no part of wherry uses. Every process has what it loads in its memory. */
export function leanPlugin(root: string): Plugin {
  return {
    name: 'lean',
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        const library = /.*\/node_modules\/([^/]+)\//.exec(importer)?.[1] ?? '';
        return unused[library]?.test(path) === true ? { path, namespace: 'unused' } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
        contents: `class Unused { constructor() { throw new Error('${path} is not part of wherry'); } }\nmodule.exports = { Client: Unused, Server: Unused };`,
      }));
      build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'lean' }));
      build.onLoad({ filter: /^undici$/, namespace: 'lean' }, () => ({
        contents: leanUndici,
        resolveDir: join(root, 'node_modules'),
      }));
    },
  };
}

/**
 * Parts of Node.js by `require` instead of `import`. An import asks a part for each of its exports, and one of
 * `node:http` loads Node's whole fetch and WebSocket, which nobody here uses: measured 30 ms of CPU and 10 MB a process.
 */
export const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup(build) {
    build.onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path, kind, namespace }) => {
      if (!isBuiltin(path)) return undefined;
      // What is required already, below or by a library, or asked for later, by its names.
      if (namespace === 'builtin' || kind !== 'import-statement') return { path, external: true };
      return { path: path.replace(/^(node:)?/, 'node:'), namespace: 'builtin' };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};

/**
 * The same program in ASCII. V8 keeps the text of a program for its whole life, and one character beyond Latin-1 (a
 * quotation mark in somebody's comment) makes it two bytes for every character: measured 2 to 6 MB a process. The
 * compiler escapes strings but neither comments nor regular expressions; in all of them an escape means the same.
 */
export function inAscii(program: Uint8Array): Uint8Array {
  if (program.every((byte) => byte < 0x80)) return program;
  const text = Buffer.from(program).toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them
  return Buffer.from(text.replace(/(\\*)([^\x00-\x7f])/g, escaped), 'latin1');
}

/** By UTF-16 unit, so that a character of two units becomes two escapes. A backslash that stood for nothing goes. */
function escaped(_: string, backslashes: string, unit: string): string {
  const code = unit.charCodeAt(0).toString(16).padStart(4, '0');
  return `${backslashes.slice(backslashes.length % 2)}\\u${code}`;
}

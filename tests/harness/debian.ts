import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed } from './run.ts';

/** The Debian mirror that this machine's own packages come from. */
export function debianMirror(): string {
  const files = ['/etc/apt/sources.list', ...sourceParts()].filter(existsSync);
  const uris = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => (/^URIs:\s*(\S+)/.exec(line) ?? /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/.exec(line))?.[1])
      .filter((uri) => uri !== undefined),
  );
  // Beside it there may be mirrors of security updates and of others' software.
  const uri = uris.find((candidate) => /\/debian\/?$/.test(candidate)) ?? uris[0];
  if (uri === undefined) throw new Error('This machine has no Debian package source to take packages from');
  return uri;
}

/** Installs a package of this machine's release unless the program is there. */
export async function ensureProgram(program: string, packageName: string): Promise<void> {
  if ((await run('sh', ['-c', `command -v ${program}`])).code === 0) return;
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const options = { environment, timeoutMs: 300_000 };
  await succeed('apt-get', ['-q', 'update'], options);
  await succeed('apt-get', ['-q', '-y', '--no-install-recommends', 'install', packageName], options);
}

function sourceParts(): string[] {
  const parts = '/etc/apt/sources.list.d';
  return existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
}

import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from './completion.ts';

function program(): Command {
  const root = new Command('wherry');
  root.command('get').argument('[type]').option('-n, --namespace <name>').option('-w, --watch');
  root.command('rollout').command('status').argument('[type]');
  return root;
}

/** What bash would offer for the last word. */
function offered(words: readonly string[]): readonly string[] {
  // Names of objects come from a cluster, which is pretended.
  const script = `${completionScript(program(), 'bash')}
wherry() { echo "asked: $*"; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
__wherry_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

describe('completion in bash', () => {
  it.each([
    [
      ['wherry', ''],
      ['get', 'rollout'],
    ],
    [['wherry', 'ro'], ['rollout']],
    [['wherry', 'rollout', ''], ['status']],
    [['wherry', 'get', '--w'], ['--watch']],
    [
      ['wherry', 'get', '-n', ''],
      ['asked:', 'get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.name}'],
    ],
    [
      ['wherry', 'get', '-n', 'x', ''],
      ['asked:', 'api-resources', '-n', 'x', '-o', 'name'],
    ],
    [
      ['wherry', 'rollout', 'status', 'deploy', ''],
      ['asked:', 'get', 'deploy', '-o', 'jsonpath={.items[*].metadata.name}'],
    ],
  ])('%j', (words, replies) => expect(offered(words)).toEqual(replies));

  it('knows bash and zsh', () => {
    expect(completionScript(program(), 'zsh')).toContain('bashcompinit');
    expect(() => completionScript(program(), 'fish')).toThrow('Unsupported shell type "fish".');
  });
});

import type { Command, Option } from 'commander';

/** Flags that kubectl's users write before the verb: `wherry -n web get pods`. */
const leading = new Set([
  '-n',
  '--namespace',
  '--kubeconfig',
  '--context',
  '-s',
  '--server',
  '--token',
  '--as',
  '--as-group',
]);

/**
 * The words of a command line in the form that the parser of flags reads, from all forms that kubectl takes:
 * flags before the verb, `--watch=true`, `-o=yaml`. What follows `--` is left as it is.
 */
export function readableWords(words: readonly string[], program: Command): readonly string[] {
  const { before, rest } = leadingFlags(words);
  const [command, depth] = commandOf(rest, program);
  const moved = [...rest.slice(0, depth), ...before, ...rest.slice(depth)];
  const end = moved.indexOf('--');
  const readable = (end === -1 ? moved : moved.slice(0, end)).flatMap((word) => readableWord(word, command));
  return end === -1 ? readable : [...readable, ...moved.slice(end)];
}

function leadingFlags(words: readonly string[]): {
  readonly before: readonly string[];
  readonly rest: readonly string[];
} {
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (leading.has(word)) at += 2;
    else if (leading.has(word.split('=')[0] ?? '')) at++;
    else break;
  }
  return { before: words.slice(0, at), rest: words.slice(at) };
}

/** The innermost command that the words name, and how many words that takes. */
function commandOf(words: readonly string[], program: Command): readonly [Command, number] {
  let command = program;
  let depth = 0;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    depth++;
  }
  return [command, depth];
}

function readableWord(word: string, command: Command): readonly string[] {
  const short = /^-([A-Za-z])=(.*)$/s.exec(word);
  if (short !== null)
    return optionOf(command, `-${short[1]}`) === undefined ? [word] : [`-${short[1]}`, short[2] ?? ''];
  const truth = /^(--[a-z-]+)=(true|false)$/.exec(word);
  if (truth === null) return [word];
  const [, flag = '', value] = truth;
  const option = optionOf(command, flag);
  if (option === undefined) {
    // `--headers=false` has only its negative form here, and `--no-headers=true` is that form.
    return value === 'false' && optionOf(command, flag.replace('--', '--no-')) !== undefined
      ? [flag.replace('--', '--no-')]
      : [word];
  }
  if (option.required || option.optional) return [word];
  return value === 'true' ? [flag] : [];
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ short, long }) => short === flag || long === flag);
}

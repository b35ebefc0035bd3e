import type { Command, Option } from 'commander';

/** Flags that kubectl's users write before the verb: `wherry -n web get pods`. All of them take a value. */
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
 * flags before the verb or between its words, `--watch=true`, `-o=yaml`. What follows `--` is left as it is.
 */
export function readableWords(words: readonly string[], program: Command): readonly string[] {
  const { command, names, flags, rest } = commandOf(words, program);
  const moved = [...names, ...flags, ...rest];
  const end = moved.indexOf('--');
  const readable = (end === -1 ? moved : moved.slice(0, end)).flatMap((word) => readableWord(word, command));
  return end === -1 ? readable : [...readable, ...moved.slice(end)];
}

interface Parts {
  /** The innermost command that the words name. */
  readonly command: Command;
  readonly names: readonly string[];
  /** Flags that stood before or between its names. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
}

function commandOf(words: readonly string[], program: Command): Parts {
  let command = program;
  const names: string[] = [];
  const flags: string[] = [];
  let at = 0;
  while (at < words.length && command.commands.length > 0) {
    const word = words[at] ?? '';
    const length = flagLength(word, command);
    if (length > 0) flags.push(...words.slice(at, at + length));
    else {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (next === undefined) break;
      command = next;
      names.push(word);
    }
    at += Math.max(length, 1);
  }
  return { command, names, flags, rest: words.slice(at) };
}

/** How many words a flag takes with its value; 0 for what is no flag that is known here. */
function flagLength(word: string, command: Command): number {
  if (!/^-./.test(word) || word === '--') return 0;
  const name = word.startsWith('--') ? (word.split('=')[0] ?? '') : word.slice(0, 2);
  const option = optionOf(command, name);
  if (option === undefined && !leading.has(name)) return 0;
  const takesValue = option === undefined || option.required;
  return takesValue && word === name ? 2 : 1;
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

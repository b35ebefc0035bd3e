import type { Command } from 'commander';
import { VerbError } from '../../kube/verb-error.ts';

/** A command as the script knows it: by the words that lead to it. */
interface Known {
  readonly path: string;
  readonly commands: readonly string[];
  readonly flags: readonly string[];
  /** Flags that take the next word as their value. */
  readonly valued: readonly string[];
  /** What its words name: `type` is a type and then names of it, `target` a pod. */
  readonly words: 'type' | 'target' | 'none';
}

/** The script for a shell, made from the commands that there are. @throws VerbError for an unknown shell */
export function completionScript(program: Command, shell: string): string {
  if (shell !== 'bash' && shell !== 'zsh') throw new VerbError(`Unsupported shell type "${shell}".`);
  const known = knownCommands(program, '');
  const bash = bashScript(known);
  return shell === 'bash'
    ? bash
    : `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

export function knownCommands(command: Command, path: string): readonly Known[] {
  const children = command.commands;
  const [first] = command.registeredArguments;
  const visible = command.options.filter(({ hidden }) => !hidden);
  const own: Known = {
    path,
    commands: children.map((child) => child.name()),
    flags: [...visible.flatMap(({ short, long }) => [long, short]), '--help'].filter(
      (flag) => flag !== undefined && flag !== null,
    ),
    valued: visible
      .filter(({ required }) => required)
      .flatMap(({ short, long }) => [long, short])
      .filter((flag) => flag !== undefined && flag !== null),
    words: first?.name() === 'type' ? 'type' : first?.name() === 'target' ? 'target' : 'none',
  };
  return [own, ...children.flatMap((child) => knownCommands(child, `${path} ${child.name()}`.trim()))];
}

function bashScript(known: readonly Known[]): string {
  const cases = (value: (one: Known) => string): string =>
    known
      .filter((one) => value(one) !== '')
      .map((one) => `    '${one.path}') echo '${value(one)}' ;;`)
      .join('\n');
  return `# wherry's completion, made by "wherry completion"
__wherry_commands() {
  case "$1" in
${cases(({ commands }) => commands.join(' '))}
  esac
}
__wherry_flags() {
  case "$1" in
${cases(({ flags }) => flags.join(' '))}
  esac
}
__wherry_valued() {
  case "$1" in
${cases(({ valued }) => valued.join(' '))}
  esac
}
__wherry_kind() {
  case "$1" in
${cases(({ words }) => (words === 'none' ? '' : words))}
  esac
}
__wherry_complete() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local program=\${COMP_WORDS[0]} path='' type='' word options='' skip='' scope=()
  local at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ -n $skip ]]; then
      case $skip in
        -n|--namespace|--kubeconfig|--context) scope+=("$skip" "$word") ;;
      esac
      skip=''
    elif [[ " $(__wherry_commands "$path") " == *" $word "* ]]; then path=\${path:+$path }$word
    elif [[ $word == -* ]]; then
      [[ " $(__wherry_valued "$path") " == *" $word "* ]] && skip=$word
    elif [[ -z $type ]]; then type=$word
    fi
  done
  if [[ $current == -* ]]; then options=$(__wherry_flags "$path")
  elif [[ -n $skip ]]; then
    case $skip in
      -n|--namespace) options=$("$program" get namespaces -o jsonpath='{.items[*].metadata.name}' 2>/dev/null) ;;
      -o|--output) options='json yaml name wide jsonpath= custom-columns=' ;;
      *) compopt -o default 2>/dev/null; return ;;
    esac
  elif [[ -n $(__wherry_commands "$path") ]]; then options=$(__wherry_commands "$path")
  else
    case $(__wherry_kind "$path") in
      type)
        if [[ -z $type ]]; then options=$("$program" api-resources "\${scope[@]}" -o name 2>/dev/null | sed 's/[.].*//')
        else options=$("$program" get "$type" "\${scope[@]}" -o jsonpath='{.items[*].metadata.name}' 2>/dev/null)
        fi ;;
      target)
        [[ -z $type ]] && options=$("$program" get pods "\${scope[@]}" -o jsonpath='{.items[*].metadata.name}' 2>/dev/null) ;;
      *) compopt -o default 2>/dev/null; return ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$options" -- "$current"))
}
complete -F __wherry_complete wherry ./wherry
`.trimEnd();
}

import type { Capability } from './capabilities.ts';

/**
 * A shell program for `dockerd --add-runtime` that takes out of a container's description what this machine cannot
 * grant, and then becomes runc. Many sandboxes lack CAP_SYS_RESOURCE; runc then refuses privileged containers, which
 * ask for every capability, and negative OOM scores. It edits the JSON as text because it runs once for every start
 * and every exec, where loading an interpreter would show; a name inside another string is escaped there and stays.
 */
export function runtimeWrapper(missing: readonly Capability[]): string {
  const edits = missing.flatMap((name) => {
    const text = `"CAP_${name}"`;
    return [`s/${text},//g`, `s/,${text}//g`, `s/${text}//g`];
  });
  if (missing.includes('SYS_RESOURCE')) edits.push('s/"oomScoreAdj":-[0-9]+/"oomScoreAdj":0/g');
  return `#!/bin/sh
# Written by wherry. Takes what this machine cannot grant out of a container's description, then becomes runc.
bundle= process= previous=
for argument in "$@"; do
  case $previous in
    --bundle | -b) bundle=$argument ;;
    --process | -p) process=$argument ;;
  esac
  case $argument in
    --bundle=*) bundle=\${argument#--bundle=} ;;
    --process=*) process=\${argument#--process=} ;;
  esac
  previous=$argument
done
for file in \${bundle:+"$bundle/config.json"} \${process:+"$process"}; do
  if [ -f "$file" ]; then sed -E -i '${edits.join('; ')}' "$file"; fi
done
exec runc "$@"
`;
}

import { pathsOf } from './field-set.ts';
import { type ManagerIdentity, managerId } from './managers.ts';
import type { Taken } from './ownership.ts';
import { compareText, pathText } from './path-element.ts';

/** One field that the configuration wants to change and somebody else owns. */
export interface Conflict {
  readonly manager: ManagerIdentity;
  readonly path: readonly string[];
}

/** An applied configuration that would take fields from others. */
export class ApplyConflicts extends Error {
  override readonly name = 'ApplyConflicts';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(conflictText(conflicts));
    this.conflicts = conflicts;
  }

  /** What a Status says about each. */
  get causes(): readonly { readonly reason: string; readonly message: string; readonly field: string }[] {
    return this.conflicts.map(({ manager, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${managerText(manager)}`,
      field: pathText(path),
    }));
  }
}

export function conflictsOf(taken: readonly Taken[]): readonly Conflict[] {
  return [...taken]
    .sort((left, right) => compareText(managerId(left.manager), managerId(right.manager)))
    .flatMap(({ manager, fields }) => [...pathsOf(fields)].map((path) => ({ manager, path })));
}

function conflictText(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.manager)}: ${pathText(first.path)}`;
  }
  const lines: string[] = [];
  let last = '';
  for (const { manager, path } of conflicts) {
    const id = managerId(manager);
    if (id !== last) lines.push(`conflicts with ${managerText(manager)}:`);
    last = id;
    lines.push(`- ${pathText(path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function managerText({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  const name = JSON.stringify(manager);
  const named = subresource === '' ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${named} using ${apiVersion}` : named;
}

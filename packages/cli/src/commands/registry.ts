import type { CommandDefinition } from '../context.ts';
import { applyCommand } from '../verbs/apply.ts';
import { createCommand } from '../verbs/create.ts';
import { deleteCommand } from '../verbs/delete.ts';
import { describeCommand } from '../verbs/describe.ts';
import { eventsCommand } from '../verbs/events.ts';
import { attachCommand, execCommand } from '../verbs/exec.ts';
import { getCommand } from '../verbs/get.ts';
import { annotateCommand, labelCommand } from '../verbs/label.ts';
import { logsCommand } from '../verbs/logs.ts';
import { rolloutCommand } from '../verbs/rollout.ts';
import { scaleCommand } from '../verbs/scale.ts';
import { setCommand } from '../verbs/set.ts';
import { addonsCommands } from './addons.ts';
import { daemonCommands } from './daemon.ts';
import { downCommand } from './down.ts';
import { engineCommands } from './engine.ts';
import { imageCommands } from './image.ts';
import { nodeCommands } from './node.ts';
import { pkiCommands } from './pki.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';

/** Every command, in the order of `wherry --help`. One file each; a new one is added here and nowhere else. */
export const commands: readonly CommandDefinition[] = [
  getCommand,
  describeCommand,
  applyCommand,
  createCommand,
  deleteCommand,
  scaleCommand,
  setCommand,
  rolloutCommand,
  logsCommand,
  execCommand,
  attachCommand,
  labelCommand,
  annotateCommand,
  eventsCommand,
  upCommand,
  downCommand,
  statusCommand,
  daemonCommands,
  nodeCommands,
  imageCommands,
  engineCommands,
  pkiCommands,
  addonsCommands,
];

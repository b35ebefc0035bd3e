import type { CommandDefinition } from '../context.ts';
import {
  apiResourcesCommand,
  apiVersionsCommand,
  clusterInfoCommand,
  explainCommand,
  versionCommand,
} from '../verbs/api.ts';
import { applyCommand } from '../verbs/apply.ts';
import { authCommand } from '../verbs/auth.ts';
import { autoscaleCommand } from '../verbs/autoscale.ts';
import { certificateCommand } from '../verbs/certificate.ts';
import { completionCommand } from '../verbs/completion.ts';
import { configCommand } from '../verbs/config.ts';
import { copyCommand } from '../verbs/copy.ts';
import { createCommand } from '../verbs/create.ts';
import { deleteCommand } from '../verbs/delete.ts';
import { describeCommand } from '../verbs/describe.ts';
import { editCommand } from '../verbs/edit.ts';
import { eventsCommand } from '../verbs/events.ts';
import { attachCommand, execCommand } from '../verbs/exec.ts';
import { exposeCommand } from '../verbs/expose.ts';
import { getCommand } from '../verbs/get.ts';
import { annotateCommand, labelCommand } from '../verbs/label.ts';
import { logsCommand } from '../verbs/logs.ts';
import { cordonCommand, drainCommand, taintCommand, uncordonCommand } from '../verbs/nodes.ts';
import { patchCommand } from '../verbs/patch.ts';
import { portForwardCommand } from '../verbs/port-forward.ts';
import { replaceCommand } from '../verbs/replace.ts';
import { rolloutCommand } from '../verbs/rollout.ts';
import { runCommand } from '../verbs/run.ts';
import { scaleCommand } from '../verbs/scale.ts';
import { setCommand } from '../verbs/set.ts';
import { topCommand } from '../verbs/top.ts';
import { waitCommand } from '../verbs/wait.ts';
import { addonsCommands } from './addons.ts';
import { daemonCommands } from './daemon.ts';
import { downCommand } from './down.ts';
import { engineCommands } from './engine.ts';
import { imageCommands } from './image.ts';
import { joinCommand } from './join.ts';
import { nodeCommands } from './node.ts';
import { pkiCommands } from './pki.ts';
import { resetCommand } from './reset.ts';
import { statusCommand } from './status.ts';
import { storeCommands } from './store.ts';
import { tokenCommands } from './token.ts';
import { upCommand } from './up.ts';

/** Commands that follow stand below this heading in `wherry --help`. */
const heading =
  (text: string): CommandDefinition =>
  (parent) =>
    void parent.commandsGroup(text);

/** Every command, in the order of `wherry --help`. One file each; a new one is added here and nowhere else. */
export const commands: readonly CommandDefinition[] = [
  heading('Objects:'),
  getCommand,
  describeCommand,
  explainCommand,
  applyCommand,
  createCommand,
  runCommand,
  exposeCommand,
  editCommand,
  patchCommand,
  replaceCommand,
  deleteCommand,
  labelCommand,
  annotateCommand,
  setCommand,
  scaleCommand,
  autoscaleCommand,
  rolloutCommand,
  heading('Pods:'),
  logsCommand,
  execCommand,
  attachCommand,
  portForwardCommand,
  copyCommand,
  waitCommand,
  eventsCommand,
  topCommand,
  heading('Nodes:'),
  cordonCommand,
  uncordonCommand,
  drainCommand,
  taintCommand,
  heading('Server:'),
  authCommand,
  certificateCommand,
  apiResourcesCommand,
  apiVersionsCommand,
  clusterInfoCommand,
  configCommand,
  heading('Clusters on this machine:'),
  upCommand,
  downCommand,
  statusCommand,
  daemonCommands,
  nodeCommands,
  imageCommands,
  engineCommands,
  pkiCommands,
  storeCommands,
  addonsCommands,
  heading('Hosts that join:'),
  tokenCommands,
  joinCommand,
  resetCommand,
  heading('Others:'),
  completionCommand,
  versionCommand,
];

import { type Command, InvalidArgumentError, Option } from 'commander';

/** The cluster that a lifecycle command is about. */
export function clusterOption(): Option {
  return new Option('--name <cluster>', 'name of the cluster').default('default').env('WHERRY_CLUSTER');
}

export interface ClusterFlag {
  readonly name: string;
}

/** A subcommand that takes --name. */
export function clusterCommand(parent: Command, usage: string, description: string): Command {
  return parent.command(usage).description(description).addOption(clusterOption());
}

/** @throws what commander shows as a usage error */
export function parseCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function parsePort(text: string): number {
  const port = parseCount(text);
  if (port < 1 || port > 65535) throw new InvalidArgumentError('It must be from 1 to 65535.');
  return port;
}

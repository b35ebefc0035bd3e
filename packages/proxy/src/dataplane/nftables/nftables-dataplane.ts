import type { Clock, Logger } from '@wherry/daemon';
import { contributionOf } from '../../plan/contribution.ts';
import type { RuleChange } from '../../plan/difference.ts';
import { RuleTable, removeTable } from '../../plan/rule-table.ts';
import type { ServiceRule } from '../../plan/service-rules.ts';
import { TABLE, type TableOptions } from '../../plan/skeleton.ts';
import { parseUdpFlows, staleUdpFlows } from '../../plan/udp-flows.ts';
import type { Dataplane, Unserved } from '../dataplane.ts';
import type { RunCommand } from '../run-command.ts';
import { NftError, NftSession } from './nft-session.ts';

export interface NftablesDataplaneOptions {
  readonly table: TableOptions;
  /** Put before each command to enter the node's network namespace; empty when the process is in it. */
  readonly prefix: readonly string[];
  readonly run: RunCommand;
  readonly localAddresses: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Services as rules of the node's kernel, in a table of our own; each change is one transaction. */
export class NftablesDataplane implements Dataplane {
  readonly mode = 'nftables';
  readonly #options: NftablesDataplaneOptions;
  readonly #session: NftSession;
  readonly #rules = new Map<string, ServiceRule>();
  #table: RuleTable;
  #conntrackProblem: string | undefined;

  constructor(options: NftablesDataplaneOptions) {
    this.#options = options;
    this.#session = new NftSession(options);
    this.#table = new RuleTable(options.table);
  }

  async resync(rules: readonly ServiceRule[]): Promise<void> {
    const { table: options, run } = this.#options;
    const table = new RuleTable(options);
    this.#rules.clear();
    for (const rule of rules) {
      this.#rules.set(rule.key, rule);
      table.replace(rule.key, contributionOf(rule, options, this.#table.contribution(rule.key)?.slots));
    }
    this.#table = table;
    const commands = table.takeEverything();
    const { code, stderr } = await run(['nft', '-f', '-'], `${commands.join('\n')}\n`);
    if (code !== 0) throw new NftError(stderr, commands);
    if (rules.some((rule) => rule.protocol === 'udp')) await this.#forgetStaleFlows();
  }

  async apply(changes: readonly RuleChange[]): Promise<void> {
    const table = this.#table;
    for (const change of changes) {
      if (change.kind === 'remove') {
        this.#rules.delete(change.previous.key);
        table.replace(change.previous.key, undefined);
      } else {
        this.#rules.set(change.rule.key, change.rule);
        const slots = table.contribution(change.rule.key)?.slots;
        table.replace(change.rule.key, contributionOf(change.rule, this.#options.table, slots));
      }
    }
    await this.#session.transaction(table.takeChanges());
    if (changes.some((change) => protocolOf(change) === 'udp')) await this.#forgetStaleFlows(removedRules(changes));
  }

  async isIntact(): Promise<boolean> {
    const { code } = await this.#options.run(['nft', 'list', 'chain', 'ip', TABLE, 'filter-output-translated']);
    return code === 0;
  }

  unserved(): readonly Unserved[] {
    return this.#conntrackProblem === undefined ? [] : [{ key: 'stale UDP flows', why: this.#conntrackProblem }];
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  async cleanUp(): Promise<void> {
    const { code, stderr } = await this.#options.run(['nft', '-f', '-'], `${removeTable().join('\n')}\n`);
    if (code !== 0) throw new NftError(stderr, removeTable());
  }

  /** After the rules are in force, so that no packet can set up the same flow again. */
  async #forgetStaleFlows(removed: readonly ServiceRule[] = []): Promise<void> {
    const { run, localAddresses, logger } = this.#options;
    try {
      const { code, stdout, stderr } = await run(['conntrack', '-L', '-p', 'udp']);
      if (code !== 0) throw new Error(`conntrack -L: ${stderr.trim()}`);
      // A removed rule counts as one without endpoints, unless another service took its address over.
      const rules = [...removed, ...this.#rules.values()];
      for (const flow of staleUdpFlows(parseUdpFlows(stdout), rules, localAddresses())) {
        const argv = ['conntrack', '-D', '-p', 'udp', '--orig-dst', flow.address, '--orig-port-dst', `${flow.port}`];
        await run([...argv, '--reply-src', flow.answeredBy]);
        logger.info({ flow }, 'made the kernel forget stale UDP flows');
      }
      this.#conntrackProblem = undefined;
    } catch (error) {
      // Rules are in force; only clients that keep one UDP port open suffer, so this is no reason to try them again.
      this.#conntrackProblem = error instanceof Error ? error.message : String(error);
      logger.warn({ err: error }, 'cannot look for stale UDP flows');
    }
  }
}

function protocolOf(change: RuleChange): string {
  return change.kind === 'remove' ? change.previous.protocol : change.rule.protocol;
}

function removedRules(changes: readonly RuleChange[]): readonly ServiceRule[] {
  const nothing = { kind: 'reject' } as const;
  return changes.flatMap((change) =>
    change.kind === 'remove' ? [{ ...change.previous, internal: nothing, external: nothing, shortcut: nothing }] : [],
  );
}

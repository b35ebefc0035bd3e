import type {
  ApiObject,
  Resource,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
} from '@wherry/api';
import type { Context } from '../../context.ts';
import { ruleRows } from '../../describers/access.ts';
import type { DiscoveredResource } from '../../kube/discovery.ts';
import { isRefusal } from '../../kube/error-text.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { alignColumns } from '../../printers/columns.ts';
import { goJson } from '../../printers/go-json.ts';
import { parseOutput, toYaml } from '../../printers/printer.ts';
import type { CanIFlags, WhoAmIFlags } from '../auth.ts';

function review<T extends ApiObject>(resource: string, kind: string, group = 'authorization.k8s.io'): Resource<T> {
  return { group, version: 'v1', resource, kind, namespaced: false };
}

export function canI(context: Context, words: readonly string[], flags: CanIFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    if (flags.list === true) return listRules(context, session, flags);
    const [verb, what, name, ...more] = words;
    if (verb === undefined || what === undefined || more.length > 0) {
      throw new VerbError(
        "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'wherry auth can-i -h' for help and examples.",
      );
    }
    const spec = what.startsWith('/')
      ? { nonResourceAttributes: { verb, path: what } }
      : { resourceAttributes: await attributesOf(context, session, verb, what, name, flags) };
    const question: SelfSubjectAccessReview = { spec };
    const { status } = await session.client.create(
      review<SelfSubjectAccessReview>('selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
      question,
    );
    const reason = status?.reason === undefined || status.reason === '' ? '' : ` - ${status.reason}`;
    const trouble = status?.evaluationError === undefined ? '' : ` - ${status.evaluationError}`;
    if (flags.quiet !== true) context.terminal.out(status?.allowed === true ? 'yes' : `no${reason}${trouble}`);
    if (status?.allowed !== true) process.exitCode = 1;
  });
}

async function attributesOf(
  context: Context,
  session: Session,
  verb: string,
  what: string,
  nameWord: string | undefined,
  flags: CanIFlags,
) {
  const [type = '', slashName] = what.split('/');
  const name = nameWord ?? slashName;
  const found = await typeOf(context, session, type);
  if (flags.allNamespaces !== true && found?.namespaced === false && flags.quiet !== true) {
    context.terminal.err(
      `Warning: resource '${found.resource}' is not namespace scoped${found.group === '' ? '' : ` in group '${found.group}'`}\n`,
    );
  }
  const isEverywhere = flags.allNamespaces === true;
  return {
    verb,
    group: found?.group ?? (type === '*' ? '*' : ''),
    resource: found?.resource ?? type,
    ...(isEverywhere ? {} : { namespace: session.namespace }),
    ...(name === undefined ? {} : { name }),
    ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }),
  };
}

/** A type that the server does not know may be asked for nevertheless: rules may name it. */
async function typeOf(context: Context, session: Session, type: string): Promise<DiscoveredResource | undefined> {
  if (type === '*') return undefined;
  try {
    return await session.discovery.find(type);
  } catch (error) {
    if (!(error instanceof VerbError)) throw error;
    context.terminal.err(`Warning: the server doesn't have a resource type '${type}'\n`);
    return undefined;
  }
}

async function listRules(context: Context, session: Session, flags: CanIFlags): Promise<void> {
  const question: SelfSubjectRulesReview = { spec: { namespace: session.namespace } };
  const { status } = await session.client.create(
    review<SelfSubjectRulesReview>('selfsubjectrulesreviews', 'SelfSubjectRulesReview'),
    question,
  );
  const rows = ruleRows([...(status?.resourceRules ?? []), ...(status?.nonResourceRules ?? [])]);
  const heading = ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'];
  for (const line of alignColumns(flags.headers ? [heading, ...rows] : rows)) context.terminal.out(line);
  if (status?.incomplete === true) {
    context.terminal.err(`warning: the list may be incomplete: ${status.evaluationError ?? ''}`);
  }
}

export function whoAmI(context: Context, flags: WhoAmIFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    const answer = await ask(session);
    const format = parseOutput(flags.output);
    if (format.kind === 'json') return context.terminal.out(goJson(answer, 4));
    if (format.kind === 'yaml') return context.terminal.write(toYaml(answer));
    const { username = '', uid = '', groups = [], extra = {} } = answer.status?.userInfo ?? {};
    const rows = [
      ['ATTRIBUTE', 'VALUE'],
      ['Username', username],
      ...(uid === '' ? [] : [['UID', uid]]),
      ...(groups.length === 0 ? [] : [['Groups', `[${groups.join(' ')}]`]]),
      ...Object.entries(extra).map(([key, values]) => [`Extra: ${key}`, `[${values.join(' ')}]`]),
    ];
    for (const line of alignColumns(rows)) context.terminal.out(line);
  });
}

async function ask(session: Session): Promise<SelfSubjectReview> {
  try {
    const type = review<SelfSubjectReview>('selfsubjectreviews', 'SelfSubjectReview', 'authentication.k8s.io');
    return await session.client.create(type, {});
  } catch (error) {
    if (isRefusal(error) && error.status?.reason === 'NotFound') {
      throw new VerbError('the selfsubjectreviews API is not enabled in the cluster', { cause: error });
    }
    throw error;
  }
}

import type { ApiObject, Container } from '@wherry/api';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { parseNames, type Selection } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { displayName } from '../printers/printer.ts';

interface OwnerOfPods extends ApiObject {
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } } };
}

export const setCommand: CommandDefinition = (parent, context) => {
  const set = parent.command('set').description('Change one thing of a workload');
  withTarget(set.command('image'))
    .description('Change images: wherry set image deployment/web web=example/web:2')
    .argument('<type>', 'type, or type/name')
    .argument('<words...>', 'names, then container=image; * means all containers')
    .action((type: string, words: readonly string[], flags: TargetFlags) =>
      withSession(context, flags, async (session) => {
        const images = new Map(words.filter((word) => word.includes('=')).map((word) => split(word)));
        if (images.size === 0) throw new Failure('at least one image update is required: container=image');
        const names = words.filter((word) => !word.includes('='));
        for (const target of await parseNames([type, ...names], session.discovery))
          await setImages(context, session, target, images);
      }),
    );
};

function split(word: string): readonly [string, string] {
  const equals = word.indexOf('=');
  return [word.slice(0, equals), word.slice(equals + 1)];
}

async function setImages(
  context: Context,
  { client, namespace }: Session,
  { resource, name }: Selection & { readonly name: string },
  images: ReadonlyMap<string, string>,
): Promise<void> {
  const object: OwnerOfPods = await client.get(resource, name, { namespace });
  const containers = object.spec?.template?.spec?.containers;
  if (containers === undefined) throw new Failure(`${displayName(resource, name)} has no pod template`);
  const unknown = [...images.keys()].find(
    (key) => key !== '*' && !containers.some((container) => container.name === key),
  );
  if (unknown !== undefined) throw new Failure(`unable to find container named "${unknown}"`);
  const changed = containers
    .map((container) => ({
      name: container.name,
      image: images.get(container.name) ?? images.get('*') ?? container.image,
    }))
    .filter(({ image }, index) => image !== containers[index]?.image);
  if (changed.length === 0) return;
  await client.patch(
    resource,
    name,
    { spec: { template: { spec: { containers: changed } } } },
    { namespace, type: 'strategic' },
  );
  context.terminal.out(`${displayName(resource, name)} image updated`);
}

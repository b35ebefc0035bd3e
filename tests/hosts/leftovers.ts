import { rmSync } from 'node:fs';
import { endEverythingOf, removeControlGroup, unmountBelow } from '../harness/leftover-processes.ts';
import { type HostPlace, places, removeLan } from './lan.ts';

const groupOfAll = '/wherry-hosts';

/** Containers of a host are found by it, whatever became of their engine. */
export const controlGroup = ({ name }: HostPlace): string => `${groupOfAll}/${name}`;

/** Ends every process of a host at once, containers and engine included, as a power cut does. */
export const cutPower = (place: HostPlace): Promise<void> =>
  endEverythingOf({ ...place, controlGroup: controlGroup(place) });

/** Removes hosts, network, mounts and files, also those of an earlier run that was killed half-way. */
export async function removeEverything(folder: string): Promise<void> {
  for (const place of places) await cutPower(place);
  await unmountBelow(folder);
  await removeLan();
  removeControlGroup(groupOfAll);
  rmSync(folder, { recursive: true, force: true });
}

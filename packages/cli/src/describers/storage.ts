import { type PersistentVolume, type PersistentVolumeClaim, resources } from '@wherry/api';
import { type Describer, describeName, describeWords } from './describer.ts';
import { describeSource } from './volumes.ts';

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(modes: readonly string[] | undefined): string {
  return (modes ?? []).map((mode) => shortModes[mode] ?? mode).join(',');
}

export const describeClaim: Describer<PersistentVolumeClaim> = async (claim, outline, { client }) => {
  const { metadata, spec, status } = claim;
  describeName(outline, claim)
    .field('StorageClass', spec?.storageClassName ?? '')
    .field('Status', metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')
    .field('Volume', spec?.volumeName ?? '');
  describeWords(outline, claim)
    .field('Finalizers', `[${(metadata?.finalizers ?? []).join(' ')}]`)
    .field('Capacity', spec?.volumeName === undefined ? '' : (status?.capacity?.['storage'] ?? ''))
    .field('Access Modes', spec?.volumeName === undefined ? '' : modesText(status?.accessModes))
    .field('VolumeMode', spec?.volumeMode);
  const { items } = await client.list(resources.pods, { namespace: metadata?.namespace ?? '' });
  const users = items.filter((pod) =>
    pod.spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === metadata?.name),
  );
  outline.list(
    'Used By',
    users.map((pod) => pod.metadata?.name ?? ''),
  );
};

export const describeVolume: Describer<PersistentVolume> = (volume, outline) => {
  const { metadata, spec, status } = volume;
  outline.field('Name', metadata?.name);
  describeWords(outline, volume)
    .field('Finalizers', `[${(metadata?.finalizers ?? []).join(' ')}]`)
    .field('StorageClass', spec?.storageClassName ?? '')
    .field('Status', metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')
    .field('Claim', spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace}/${spec.claimRef.name}`)
    .field('Reclaim Policy', spec?.persistentVolumeReclaimPolicy)
    .field('Access Modes', modesText(spec?.accessModes))
    .field('VolumeMode', spec?.volumeMode)
    .field('Capacity', spec?.capacity?.['storage'] ?? '');
  if (spec?.nodeAffinity?.required === undefined) outline.field('Node Affinity', '<none>');
  else {
    outline.block('Node Affinity', (inner) => {
      const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
      inner.block('Required Terms', (rows) => {
        terms.forEach(({ matchExpressions = [] }, index) => {
          const texts = matchExpressions.map(
            ({ key, operator, values = [] }) =>
              `${key} ${operator.toLowerCase()}${values.length === 0 ? '' : ` [${values.join(', ')}]`}`,
          );
          rows.list(`Term ${index}`, texts);
        });
      });
    });
  }
  outline.field('Message', status?.message ?? '').row('Source:');
  describeSource(outline.inner('    '), { ...spec, name: '' });
};

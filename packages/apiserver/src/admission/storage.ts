import {
  type ApiObject,
  compareQuantities,
  forbidden,
  type Ingress,
  type PersistentVolumeClaim,
  resources,
  type StorageClass,
} from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionPlugin } from './chain.ts';

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const DEFAULT_CLASS_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** Claims that say nothing of a class get the default one. */
export function defaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    resources: ['/persistentvolumeclaims'],
    admit({ operation, subresource }, object) {
      const claim = object as PersistentVolumeClaim;
      const isSet = claim.metadata?.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName;
      if (operation !== 'CREATE' || subresource !== '' || isSet !== undefined) {
        return claim;
      }
      const found = newestDefault(reader.all(resources.storageclasses), DEFAULT_CLASS_ANNOTATIONS);
      return found === undefined ? claim : { ...claim, spec: { ...claim.spec, storageClassName: found } };
    },
  };
}

/** The same for Ingresses. */
export function defaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    resources: ['networking.k8s.io/ingresses'],
    admit({ operation, subresource }, object) {
      const ingress = object as Ingress;
      const isSet = ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.['kubernetes.io/ingress.class'];
      if (operation !== 'CREATE' || subresource !== '' || isSet !== undefined) {
        return ingress;
      }
      const found = newestDefault(reader.all(resources.ingressclasses), [
        'ingressclass.kubernetes.io/is-default-class',
      ]);
      return found === undefined ? ingress : { ...ingress, spec: { ...ingress.spec, ingressClassName: found } };
    },
  };
}

/** Of several defaults the newest counts, and of those the first by name. */
function newestDefault(classes: Iterable<ApiObject>, annotations: readonly string[]): string | undefined {
  let chosen: { readonly name: string; readonly made: string } | undefined;
  for (const { metadata } of classes) {
    const { name = '', creationTimestamp: made = '' } = metadata ?? {};
    const isDefault = annotations.some((key) => metadata?.annotations?.[key] === 'true');
    const isNewer = chosen === undefined || made > chosen.made || (made === chosen.made && name < chosen.name);
    if (isDefault && isNewer) {
      chosen = { name, made };
    }
  }
  return chosen?.name;
}

const protections: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Claims and volumes stay while they are in use: controllers take these finalizers away when nobody uses them. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  resources: ['/persistentvolumeclaims', '/persistentvolumes'],
  admit({ operation, subresource, stored }, object) {
    const finalizer = protections[stored.resource];
    const finalizers = object.metadata?.finalizers ?? [];
    if (operation !== 'CREATE' || subresource !== '' || finalizer === undefined || finalizers.includes(finalizer)) {
      return object;
    }
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};

/** Claims grow only where their class says that its volumes can. */
export function persistentVolumeClaimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    resources: ['/persistentvolumeclaims'],
    validate({ operation, subresource, object, old, stored, name }) {
      const next = object as PersistentVolumeClaim;
      const before = old as PersistentVolumeClaim | undefined;
      if (operation !== 'UPDATE' || subresource !== '' || before === undefined || !grows(next, before)) {
        return;
      }
      if (before.status?.phase !== 'Bound') {
        throw forbidden(stored, name, 'Only bound persistent volume claims can be expanded');
      }
      const className = classOf(next);
      const found: StorageClass | undefined =
        className === '' || className !== classOf(before)
          ? undefined
          : reader.read(resources.storageclasses, '', className);
      if (found?.allowVolumeExpansion !== true) {
        throw forbidden(
          stored,
          name,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
      }
    },
  };
}

function grows(next: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const size = next.spec?.resources?.requests?.['storage'] ?? '0';
  return compareQuantities(size, old.spec?.resources?.requests?.['storage'] ?? '0') > 0;
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? '';
}

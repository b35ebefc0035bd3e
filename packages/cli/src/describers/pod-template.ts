import type { PodTemplateSpec, Toleration } from '@wherry/api';
import { describeContainers } from './container.ts';
import type { Outline } from './outline.ts';
import { describeVolumes } from './volumes.ts';

/** The part of a workload that its pods are made from. */
export function describeTemplate(outline: Outline, template: PodTemplateSpec | undefined): void {
  outline.block('Pod Template', (inner) => {
    if (template === undefined) {
      inner.row('<unset>');
      return;
    }
    const { metadata, spec } = template;
    inner.labels('Labels', metadata?.labels);
    if (Object.keys(metadata?.annotations ?? {}).length > 0) inner.annotations('Annotations', metadata?.annotations);
    inner.field('Service Account', spec?.serviceAccountName);
    describeContainers(inner, 'Init Containers', spec?.initContainers, undefined, undefined, true);
    describeContainers(inner, 'Containers', spec?.containers, undefined, undefined, true);
    describeVolumes(inner, spec?.volumes, true);
    inner.field('Priority Class Name', spec?.priorityClassName);
    inner.labels('Node-Selectors', spec?.nodeSelector);
    describeTolerations(inner, spec?.tolerations);
  });
}

export function describeTolerations(outline: Outline, tolerations: readonly Toleration[] = []): void {
  const ordered = tolerations.toSorted((a, b) =>
    (a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : 0,
  );
  outline.list('Tolerations', ordered.map(tolerationText));
}

function tolerationText({ key = '', operator, value = '', effect = '', tolerationSeconds }: Toleration): string {
  let text = `${key}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}`;
  if (operator === 'Exists' && value === '') text += key !== '' || effect !== '' ? ' op=Exists' : 'op=Exists';
  return tolerationSeconds === undefined ? text : `${text} for ${tolerationSeconds}s`;
}

import type { ComponentStatus } from '@wherry/api';
import { nameColumn, text } from '../cells.ts';
import { strategyOf } from '../plain.ts';

export const componentStatusStrategy = strategyOf<ComponentStatus>({
  columns: [
    nameColumn,
    text('Status', (component) => {
      const status = healthy(component)?.status;
      if (status === undefined) return 'Unknown';
      return status === 'True' ? 'Healthy' : 'Unhealthy';
    }),
    text('Message', (component) => healthy(component)?.message ?? ''),
    text('Error', (component) => healthy(component)?.error ?? ''),
  ],
});

function healthy(component: ComponentStatus): NonNullable<ComponentStatus['conditions']>[number] | undefined {
  return (component.conditions ?? []).find((condition) => condition.type === 'Healthy');
}

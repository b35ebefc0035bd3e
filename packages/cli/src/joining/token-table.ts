import { rfc3339 } from '@wherry/daemon';
import { alignTabs } from '../printers/tabs.ts';
import { type BootstrapToken, tokenText } from './bootstrap-token.ts';

const header = ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'];

/** The list of tokens as kubeadm shows it. */
export function tokenTable(tokens: readonly BootstrapToken[], nowMs: number): string {
  const rows = tokens.map((token) => {
    const { expiresAtMs, usages, description, groups } = token;
    return [
      tokenText(token),
      expiresAtMs === undefined ? '<forever>' : shortDuration(expiresAtMs - nowMs),
      expiresAtMs === undefined ? '<never>' : rfc3339(expiresAtMs),
      usages.join(',') || '<none>',
      description || '<none>',
      groups.join(',') || '<none>',
    ];
  });
  return alignTabs([header, ...rows].map((cells) => cells.join('\t')).join('\n'), { minWidth: 10, padding: 3 });
}

/** In one unit, rounded down. */
function shortDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return seconds < 365 * 86_400 ? `${Math.floor(seconds / 86_400)}d` : `${Math.floor(seconds / (365 * 86_400))}y`;
}

import type { ServiceAccount } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

export const serviceAccountStrategy = strategyOf<ServiceAccount>({
  validateName: asPrefix(dns1123Subdomain),
  prepareForCreate: withPlainReferences,
  prepareForUpdate: withPlainReferences,
  columns: [nameColumn, text('Secrets', (account) => (account.secrets ?? []).length), ageColumn],
});

/** Of a reference to a Secret only the name means anything. */
function withPlainReferences(account: ServiceAccount): ServiceAccount {
  if (account.secrets === undefined) return account;
  return { ...account, secrets: account.secrets.map(({ name }) => (name === undefined ? {} : { name })) };
}

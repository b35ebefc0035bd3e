import type { IPAddress, ServiceCIDR } from '@wherry/api';
import { isIpv6, parseCidr, parseIp } from '../addresses.ts';
import { ageColumn, nameColumn, none, text } from '../cells.ts';
import { checkRequired } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

export const ipAddressStrategy = strategyOf<IPAddress>({
  // The name is the address.
  validateName: (name) => (parseIp(name) === undefined ? [notAnAddress] : []),
  generation: true,
  check: (findings, { spec }) => {
    const parent = spec?.parentRef;
    if (parent === undefined) {
      findings.push(required('spec.parentRef', ''));
      return;
    }
    checkRequired(findings, parent.resource, 'spec.parentRef.resource');
    checkRequired(findings, parent.name, 'spec.parentRef.name');
  },
  checkUpdate: (findings, next, old) => {
    if (!sameValue(next.spec?.parentRef, old.spec?.parentRef)) {
      findings.push(invalid('spec', next.spec?.parentRef, 'field is immutable'));
    }
  },
  columns: [
    nameColumn,
    text('ParentRef', ({ spec }) => {
      const parent = spec?.parentRef;
      if (parent === undefined) return none;
      const { group, name = '', namespace, resource: plural = '' } = parent;
      const resource = group ? `${plural}.${group}` : plural;
      const names = namespace ? `${namespace}/${name}` : name;
      return `${resource.toLowerCase()}/${names}`;
    }),
    ageColumn,
  ],
});

export const serviceCidrStrategy = strategyOf<ServiceCIDR>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, { spec }) => {
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) findings.push(required('spec.cidrs', 'at least one CIDR required'));
    if (cidrs.length > 2) findings.push(invalid('spec', spec, 'may only hold up to 2 values'));
    const families = cidrs.map((cidr) => isIpv6(cidr.split('/')[0] ?? ''));
    if (families.length === 2 && families[0] === families[1]) {
      findings.push(
        invalid(
          'spec',
          spec,
          'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
        ),
      );
    }
    for (const [index, cidr] of cidrs.entries()) {
      if (parseCidr(cidr) !== undefined) continue;
      const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
      findings.push(invalid(`spec.cidrs[${index}]`, cidr, detail));
    }
  },
  checkUpdate: (findings, next, old) => {
    const before = old.spec?.cidrs ?? [];
    const after = next.spec?.cidrs ?? [];
    // A second family may be added; nothing that addresses came from may go.
    const keeps = before.every((cidr, index) => after[index] === cidr);
    if (!keeps || after.length < before.length) findings.push(invalid('spec.cidrs', after, 'field is immutable'));
  },
  columns: [nameColumn, text('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
});

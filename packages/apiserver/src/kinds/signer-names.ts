import { dns1123Subdomain } from './names.ts';

/** A path below a domain, `example.com/name`: names of signers, controllers and Job managers. */
export function domainPrefixedPath(value: string): readonly string[] {
  if (value === '') return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const cut = value.indexOf('/');
  if (cut <= 0 || cut === value.length - 1) return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const messages = [...dns1123Subdomain(value.slice(0, cut))];
  const rest = value.slice(cut + 1);
  if (!/^([A-Za-z0-9/\-._~%!$&'()*+,;=:]+)$/.test(rest)) {
    messages.push("Invalid path (e.g. 'foo/bar', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
  }
  return messages;
}

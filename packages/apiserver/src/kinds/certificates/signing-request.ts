import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from '@wherry/api';
import { age, nameColumn, none, text } from '../cells.ts';
import { checkName, checkRequired, checkSupported } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { duplicate, type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { humanDuration } from '../human-duration.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { domainPrefixedPath } from '../signer-names.ts';
import type { StrategyContext } from '../strategy.ts';

const secondsMin = 600;
const usages = [
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
];
/** What an approver decides; everything else in the status is the signer's. */
const decisions = new Set(['Approved', 'Denied']);
const emptySpec: CertificateSigningRequestSpec = { request: '', signerName: '' };

export const signingRequestStrategy = strategyOf<CertificateSigningRequest>({
  validateName: asPrefix(dns1123Subdomain),
  prepareForCreate: (request, context) => ({ ...request, spec: withRequestor(request.spec ?? emptySpec, context) }),
  prepareForUpdate: (next, old) => ({ ...next, spec: old.spec }),
  checkCreate: (findings, request) => checkSpec(findings, request.spec ?? emptySpec),
  prepareForStatus: (next, old, context) => {
    const kept = (old.status?.conditions ?? []).filter(({ type }) => decisions.has(type));
    const own = (next.status?.conditions ?? []).filter(({ type }) => !decisions.has(type));
    return withConditions(next, old, [...kept, ...own], context);
  },
  checkStatus: (findings, next, old) => {
    checkConditions(findings, next, old);
    const before = old.status?.certificate;
    if (before && next.status?.certificate !== before) {
      findings.push(forbidden('status.certificate', 'updates may not remove, modify, or add items to the certificate'));
    }
  },
  subresources: {
    approval: {
      prepare: (next, old, context) => {
        const kept = (old.status?.conditions ?? []).filter(({ type }) => !decisions.has(type));
        const own = (next.status?.conditions ?? []).filter(({ type }) => decisions.has(type));
        const merged = { ...next, spec: old.spec, status: { ...old.status } };
        return withConditions(merged, old, [...own, ...kept], context);
      },
      check: checkConditions,
    },
  },
  fieldSelectors: { 'spec.signerName': (request) => request.spec.signerName },
  columns: [
    nameColumn,
    text('Age', age),
    text('SignerName', ({ spec }) => spec.signerName || none),
    text('Requestor', ({ spec }) => spec.username ?? ''),
    text('RequestedDuration', ({ spec }) =>
      spec.expirationSeconds === undefined ? none : humanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', conditionText),
  ],
});

/** Who asks is what the server knows, never what the request says. */
function withRequestor(spec: CertificateSigningRequestSpec, { user }: StrategyContext): CertificateSigningRequestSpec {
  const { extra: _extra, groups: _groups, uid: _uid, username: _username, ...rest } = spec;
  return {
    ...rest,
    username: user.name,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

function withConditions(
  next: CertificateSigningRequest,
  old: CertificateSigningRequest,
  conditions: readonly CertificateSigningRequestCondition[],
  context: StrategyContext,
): CertificateSigningRequest {
  const stamped = conditions.map((condition) => {
    const before = (old.status?.conditions ?? []).find(({ type }) => type === condition.type);
    if (before !== undefined && sameValue(before, condition)) return condition;
    const lastTransitionTime =
      before?.status === condition.status ? (before?.lastTransitionTime ?? context.now) : context.now;
    return {
      ...condition,
      lastTransitionTime: condition.lastTransitionTime ?? lastTransitionTime,
      lastUpdateTime: condition.lastUpdateTime ?? context.now,
    };
  });
  const { conditions: _conditions, ...status } = next.status ?? {};
  return { ...next, status: stamped.length === 0 ? status : { ...status, conditions: stamped } };
}

function checkSpec(findings: Findings, spec: CertificateSigningRequestSpec): void {
  const problem = pemProblem(spec.request);
  if (problem !== undefined) findings.push(invalid('spec.request', spec.request, problem));
  const wanted = spec.usages ?? [];
  if (wanted.length === 0) findings.push(required('spec.usages', ''));
  for (const [index, usage] of wanted.entries()) {
    const at = `spec.usages[${index}]`;
    if (!usages.includes(usage)) findings.push(notSupported(at, usage, usages.toSorted()));
    if (wanted.indexOf(usage) < index) findings.push(duplicate(at, usage));
  }
  if (checkRequired(findings, spec.signerName, 'spec.signerName')) {
    checkName(findings, domainPrefixedPath, spec.signerName, 'spec.signerName');
  }
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < secondsMin) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    findings.push(invalid('spec.expirationSeconds', seconds, detail));
  }
}

function checkConditions(findings: Findings, next: CertificateSigningRequest, old: CertificateSigningRequest): void {
  const conditions = next.status?.conditions ?? [];
  const seen = new Set<string>();
  for (const [index, { status, type }] of conditions.entries()) {
    const at = `status.conditions[${index}]`;
    if (!checkRequired(findings, type, `${at}.type`)) continue;
    if (!checkRequired(findings, status, `${at}.status`)) continue;
    if (decisions.has(type) || type === 'Failed') {
      if (status !== 'True') findings.push(notSupported(`${at}.status`, status, ['True']));
    } else {
      checkSupported(findings, status, ['True', 'False', 'Unknown'], `${at}.status`);
    }
    if (seen.has(type)) findings.push(duplicate(`${at}.type`, type));
    seen.add(type);
  }
  if (seen.has('Approved') && seen.has('Denied')) {
    findings.push(invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'));
  }
  for (const { type } of old.status?.conditions ?? []) {
    if ((decisions.has(type) || type === 'Failed') && !seen.has(type)) {
      findings.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
    }
  }
}

/** Only the envelope: what the request says inside is read by the signer, who can refuse it. */
function pemProblem(encoded: string): string | undefined {
  let text: string;
  try {
    text = atob(encoded);
  } catch {
    // Not base64 means no PEM block either; the schema check has its own words for it.
    return 'PEM block type must be CERTIFICATE REQUEST';
  }
  const block =
    /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\sA-Za-z0-9+/=:,-]*-----END (NEW )?CERTIFICATE REQUEST-----\s*$/;
  return block.test(text) ? undefined : 'PEM block type must be CERTIFICATE REQUEST';
}

function conditionText(request: CertificateSigningRequest): string {
  const types = new Set((request.status?.conditions ?? []).map(({ type }) => type));
  let state = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending';
  if (types.has('Failed')) state += ',Failed';
  if (request.status?.certificate) state += ',Issued';
  return state;
}

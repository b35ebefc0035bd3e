import { type CertificateSigningRequest, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../kube/options.ts';
import { withSession } from '../../kube/session.ts';

const words = {
  approve: { type: 'Approved', reason: 'KubectlApprove', done: 'approved' },
  deny: { type: 'Denied', reason: 'KubectlDeny', done: 'denied' },
} as const;

/** Decides on requests one after another, with kubectl's condition and answer. */
export async function decide(
  context: Context,
  verb: 'approve' | 'deny',
  names: readonly string[],
  flags: TargetFlags,
): Promise<void> {
  const { type, reason, done } = words[verb];
  const { signal } = context;
  await withSession(context, flags, async ({ client }) => {
    for (const text of names) {
      const name = text.replace(/^(csr|certificatesigningrequests?)(\.[a-z0-9.]+)?\//, '');
      const request = await client.get(resources.certificatesigningrequests, name, { signal });
      const conditions = request.status?.conditions ?? [];
      if (!conditions.some((condition) => condition.type === type)) {
        const message = `This CSR was ${done} by kubectl certificate ${verb}.`;
        const next: CertificateSigningRequest = {
          ...request,
          status: { ...request.status, conditions: [...conditions, { type, status: 'True', reason, message }] },
        };
        await client.update(resources.certificatesigningrequests, next, { subresource: 'approval', signal });
      }
      context.terminal.out(`certificatesigningrequest.certificates.k8s.io/${name} ${done}`);
    }
  });
}

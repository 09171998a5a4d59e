/** What the studio has and lacks, with what to do about it. */
import { statfsSync } from 'node:fs';
import { auditFault } from '../../store/audit.ts';
import type { Deps } from './handlers.ts';

type Row = { name: string; status: 'ok' | 'limited' | 'missing'; message: string; remedy: string | null };

export async function healthRows({ context, workspace, embedded, signOn }: Deps): Promise<{ checks: Row[]; mail: boolean }> {
  const { bavail, bsize } = statfsSync(workspace);
  const free = (bavail * bsize) / 1e9;
  const { server_version } = (await context.store.pool.query<{ server_version: string }>('show server_version')).rows[0]!;
  const fault = await auditFault(context.store.db);
  const passages = await context.store.db.selectFrom('passages').select((eb) => eb.fn.countAll<number>().as('n')).where('state', '=', 'verified').executeTakeFirstOrThrow();
  const signOnFault = await signOn?.fault();
  const checks: Row[] = [
    { name: 'database', status: 'ok', message: `PostgreSQL ${server_version}, ${embedded ? 'embedded in the workspace' : 'of your own'}`, remedy: null },
    free < 2 ? { name: 'disk', status: 'limited', message: `${free.toFixed(1)} GB free`, remedy: 'Free some space: a full disk stops the database.' } : { name: 'disk', status: 'ok', message: `${free.toFixed(0)} GB free`, remedy: null },
    context.mail?.trouble !== undefined ? { name: 'mail', status: 'limited', message: context.mail.trouble, remedy: 'Invite them again, or give them the links yourself; "roslin up --doctor" with the same --smtp tells whether the server lets us in.' }
      : context.mail ? { name: 'mail', status: 'ok', message: 'configured', remedy: null } : { name: 'mail', status: 'limited', message: 'not configured: links of invitations are shown to you', remedy: 'Start with --smtp smtp://user:password@host:587 and --mail-from.' },
    context.publicUrl.startsWith('https:') ? { name: 'https', status: 'ok', message: context.publicUrl, remedy: null } : { name: 'https', status: 'limited', message: `${context.publicUrl}: this machine alone reaches it`, remedy: 'Start with --public-url https://… behind a proxy, or with --tls-cert and --tls-key.' },
    ...(signOn ? [signOnFault === undefined ? ({ name: 'single sign-on', status: 'ok', message: signOn.settings.issuer, remedy: null } as const) : ({ name: 'single sign-on', status: 'missing', message: signOnFault, remedy: 'Check --oidc-issuer and whether this machine reaches it. People with a password come in all the same.' } as const)] : []),
    passages.n === 0 ? { name: 'passages', status: 'missing', message: 'none is verified: closed questions, extraction and summaries cannot be written', remedy: 'Add some under Passages.' } : { name: 'passages', status: 'ok', message: `${passages.n} verified`, remedy: null },
    fault === undefined ? { name: 'audit log', status: 'ok', message: 'its chain verifies', remedy: null } : { name: 'audit log', status: 'missing', message: fault, remedy: 'Compare with a backup: somebody changed the database by hand.' },
  ];
  return { checks, mail: context.mail !== undefined };
}

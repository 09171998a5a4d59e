/** `roslin up`: the studio on an embedded database, until Ctrl-C; with --doctor, whether people reach it. */
import { Command } from 'commander';
import type { Context } from '../collect/context.ts';
import { RoslinError, UsageError } from '../errors.ts';
import { showChecks } from './check-table.ts';
import { interruptSignal } from './interrupt.ts';
import { addSingleSignOnFlags, singleSignOnOf, type SingleSignOnFlags } from './single-sign-on-options.ts';
import { note, painter, print, printJson, sanitise } from './terminal.ts';
import { wholeNumber } from './train-options.ts';

export const WORKSPACE = '.roslin/studio';

interface Flags extends SingleSignOnFlags {
  readonly workspace: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustedProxy?: readonly string[];
  readonly smtp?: string;
  readonly mailFrom?: string;
  readonly demo?: boolean | string;
  readonly doctor?: boolean;
  readonly json?: boolean;
}

export function command(): Command {
  const made = new Command()
    .option('--workspace <folder>', 'database, datasets and all that belongs to it; made where it is not there', WORKSPACE)
    .option('--host <host>', 'where to listen', '127.0.0.1')
    .option('--port <n>', '0: any that is free', wholeNumber(0), 8000)
    .option('--public-url <url>', 'where people reach it, such as https://studio.example.org')
    .option('--tls-cert <file>', 'certificate with its chain, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--trusted-proxy <address>', 'proxy whose X-Forwarded-For is believed, an address or network; may be given several times', (text: string, before?: readonly string[]): readonly string[] => [...(before ?? []), text])
    .option('--smtp <url>', 'mail server, such as smtp://user:password@host:587 (default: ROSLIN_SMTP)')
    .option('--mail-from <address>', 'sender of mail (default: ROSLIN_MAIL_FROM)')
    .option('--demo [language]', 'begin with a sample campaign, in en or ru')
    .option('--doctor', 'test proxy, address, origin and cookies instead, and name the line to change; give it the same flags')
    .option('--json', 'say where it listens as one JSON object')
    .addHelpText('after', '\nDATABASE_URL=postgres://… uses a PostgreSQL of your own instead of the embedded one; several servers may then run side by side.')
    .action(up);
  return addSingleSignOnFlags(made);
}

async function up(flags: Flags): Promise<void> {
  if (flags.doctor) return examineUp(flags);
  const stop = interruptSignal();
  const { startStudio } = await import('../server/studio/up.ts');
  const onFault = (error: unknown): void => note(`roslin: ${sanitise(faultOf(error))}`);
  const mail = await mailerOf(flags, onFault);
  const studio = await startStudio({
    workspace: flags.workspace, host: flags.host, port: flags.port, publicUrl: flags.publicUrl, tls: tlsOf(flags), trustedProxies: flags.trustedProxy ?? [], mail, signOn: singleSignOnOf(flags, process.env), databaseUrl: process.env['DATABASE_URL'] ?? '', onFault,
  });
  try {
    if (flags.demo) await startDemo(studio.context, flags.demo);
    if (flags.json) printJson({ url: studio.publicUrl, listening: studio.url, owner_link: studio.ownerLink ?? null, embedded: studio.embedded });
    else say(studio);
    if (!stop.aborted) await new Promise<void>((done) => stop.addEventListener('abort', () => done(), { once: true }));
    note('Ending: requests that run have 10 s.');
  } finally {
    await studio.close();
    mail?.close();
  }
}

async function examineUp(flags: Flags): Promise<void> {
  const { examine } = await import('../server/studio/doctor.ts');
  const mail = await mailerOf(flags);
  const { ok, running, publicUrl, checks } = await examine({ workspace: flags.workspace, host: flags.host, port: flags.port, publicUrl: flags.publicUrl, tls: tlsOf(flags), trustedProxies: flags.trustedProxy ?? [], mail });
  mail?.close();
  const bad = checks.filter(({ status }) => status === 'lacking').length;
  if (flags.json) printJson({ ok, running, public_url: publicUrl ?? null, checks });
  else {
    showChecks(checks.map((check) => ({ ...check, found: sanitise(check.found), ...(check.remedy !== undefined && { remedy: sanitise(check.remedy) }) })));
    print(ok ? `\nAll good: ${publicUrl}` : `\n${bad} ${bad === 1 ? 'thing' : 'things'} to mend. Then run this again.`);
  }
  process.exitCode = ok ? 0 : 1;
}

function say({ publicUrl, url, ownerLink, embedded, recovered, hasPages }: { readonly publicUrl: string; readonly url: string; readonly ownerLink: string | undefined; readonly embedded: boolean; readonly recovered: boolean; readonly hasPages: boolean }): void {
  const paint = painter(process.stdout);
  print(`${paint('bold', publicUrl)}  ${embedded ? 'embedded PostgreSQL in the workspace' : 'PostgreSQL of your own'}${url === publicUrl ? '' : `, listening on ${url}`}`);
  if (recovered) note('The database was running still: an earlier process ended without stopping it. It goes on with it.');
  if (!hasPages) note('The pages are not built: run "npm run build:web" in the clone, then start again.');
  if (ownerLink !== undefined) print(`\nOpen this once to become its owner:\n${paint('bold', ownerLink)}\n`);
}

async function startDemo(context: Context, demo: boolean | string): Promise<void> {
  const [{ makeDemo }, { currentCampaign }] = await Promise.all([import('../collect/demo-campaign.ts'), import('../collect/campaigns/current.ts')]);
  if (await currentCampaign(context.store.db)) return note('There is a campaign already: --demo changes nothing.');
  await makeDemo(context, null, typeof demo === 'string' ? demo : 'en');
}

function tlsOf({ tlsCert, tlsKey }: Flags): { cert: string; key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError({ expected: 'both --tls-cert and --tls-key', found: 'one of them', where: tlsCert === undefined ? '--tls-key' : '--tls-cert' });
  return { cert: tlsCert, key: tlsKey };
}

async function mailerOf({ smtp = process.env['ROSLIN_SMTP'], mailFrom = process.env['ROSLIN_MAIL_FROM'] }: Flags, onFault?: (error: Error) => void) {
  if (smtp === undefined) return undefined;
  if (mailFrom === undefined) throw new UsageError({ expected: 'a sender for mail', found: 'none', where: '--mail-from', remedy: 'Give --mail-from "Roslin <roslin@example.org>".' });
  const { smtpMailer } = await import('../server/studio/mail.ts');
  return smtpMailer(smtp, mailFrom, { ...(onFault && { onFault }) });
}

const faultOf = (error: unknown): string => (error instanceof RoslinError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error));

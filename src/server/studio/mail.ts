/** Mail through an SMTP server: one at once, many in the background, again where the server has a bad moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import type { Mail, Mailer } from '../../collect/context.ts';
import { UsageError } from '../../errors.ts';

export interface SmtpOptions {
  /** Told of mail that was given up; its address is not repeated. */
  readonly onFault?: (error: Error) => void;
  /** Milliseconds before each further try: of one that somebody waits for, and of many. */
  readonly waits?: { readonly one: readonly number[]; readonly many: readonly number[] };
}

export interface SmtpMailer extends Mailer {
  /** Connects and signs in, without mail. */
  verify(): Promise<void>;
  /** Gives up what waits. */
  close(): void;
}

const WAITS = { one: [2000], many: [5000, 30_000, 5 * 60_000, 30 * 60_000] } as const;
const AT_ONCE = 3;

/** `url`: `smtp://user:password@host:587` (STARTTLS where it is offered, demanded for a password) or `smtps://…:465`. Throws UsageError; the value holds a password and is not repeated. */
export function smtpMailer(url: string, from: string, { onFault = () => {}, waits = WAITS }: SmtpOptions = {}): SmtpMailer {
  const transport = createTransport({ ...serverOf(url), pool: true, maxConnections: AT_ONCE, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000, disableFileAccess: true, disableUrlAccess: true }, { from });
  const closed = new AbortController();
  const waiting: Mail[] = [];
  let running = 0;
  let lost = 0;
  let reason = '';
  const trySend = async ({ to, subject, text }: Mail, again: readonly number[]): Promise<void> => {
    for (let n = 0; ; n++) {
      try {
        await transport.sendMail({ to: { name: '', address: to }, subject, text });
        return;
      } catch (error) {
        const wait = again[n];
        if (wait === undefined || !mayPass(error) || closed.signal.aborted) throw error;
        await sleep(wait, undefined, { signal: closed.signal });
      }
    }
  };
  const work = async (): Promise<void> => {
    for (let mail = waiting.shift(); mail && !closed.signal.aborted; mail = waiting.shift()) {
      try {
        await trySend(mail, waits.many);
      } catch (error) {
        lost++;
        reason = (error as Error).message.replaceAll(mail.to, 'the address').slice(0, 200);
        onFault(new Error(`a mail was not delivered: ${reason}`));
      }
    }
    running--;
  };
  return {
    send: (to, subject, text) => trySend({ to, subject, text }, waits.one),
    later: (mails) => {
      waiting.push(...mails);
      for (; running < Math.min(AT_ONCE, waiting.length); running++) void work();
    },
    get trouble() {
      return lost === 0 ? undefined : `${lost} not delivered since the start: ${reason}`;
    },
    verify: async () => void (await transport.verify()),
    close: () => {
      closed.abort();
      transport.close();
    },
  };
}

function serverOf(url: string): { host: string; port: number; secure: boolean; requireTLS: boolean; auth?: { user: string; pass: string } } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.protocol !== 'smtp:' && parsed.protocol !== 'smtps:') || parsed.hostname === '') throw new UsageError({ expected: 'an address such as smtp://user:password@host:587', found: 'something else', where: '--smtp' });
  const secure = parsed.protocol === 'smtps:';
  const hasPassword = parsed.username !== '';
  return { host: parsed.hostname, port: Number(parsed.port) || (secure ? 465 : 587), secure, requireTLS: hasPassword && !secure, ...(hasPassword && { auth: { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) } }) };
}

/** Codes of 400 to 499 are "not now" (RFC 5321, 4.2.1); so is a server that is not there. A refusal, and a password that is wrong, stay. */
function mayPass(error: unknown): boolean {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  if (responseCode !== undefined) return responseCode >= 400 && responseCode < 500;
  return code !== 'EAUTH' && code !== 'EENVELOPE' && code !== 'ETLS';
}

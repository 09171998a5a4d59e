/** Mail through an SMTP server. */
import { createTransport } from 'nodemailer';
import type { Mailer } from '../../collect/context.ts';
import { UsageError } from '../../errors.ts';

/** `url`: `smtp://user:password@host:587` (STARTTLS where it is offered) or `smtps://…:465`. Throws UsageError; the value holds a password and is not repeated. */
export function smtpMailer(url: string, from: string): Mailer & { verify(): Promise<void> } {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // refused below
  }
  if (!parsed || (parsed.protocol !== 'smtp:' && parsed.protocol !== 'smtps:')) throw new UsageError({ expected: 'an address such as smtp://user:password@host:587', found: 'something else', where: '--smtp' });
  const secure = parsed.protocol === 'smtps:';
  const transport = createTransport({
    host: parsed.hostname, port: Number(parsed.port) || (secure ? 465 : 587), secure, ...(parsed.username !== '' && { auth: { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) } }),
    connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000, disableFileAccess: true, disableUrlAccess: true,
  }, { from });
  return {
    send: async (to, subject, text) => void (await transport.sendMail({ to: { name: '', address: to }, subject, text })),
    /** Connects and signs in, without mail. */
    verify: async () => void (await transport.verify()),
  };
}

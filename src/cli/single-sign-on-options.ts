/** The flags of the organisation's own sign-in, and the variables that stand for them. A secret is no flag: others on the machine see those. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError, UsageError } from '../errors.ts';
import type { SingleSignOnSettings } from '../server/studio/single-sign-on.ts';

export interface SingleSignOnFlags {
  readonly oidcIssuer?: string;
  readonly oidcClient?: string;
  readonly oidcSecretFile?: string;
  readonly oidcDomain?: readonly string[];
  readonly oidcHost?: readonly string[];
  readonly oidcName?: string;
}

const several = (text: string, before?: readonly string[]): readonly string[] => [...(before ?? []), text];

export const addSingleSignOnFlags = (command: Command): Command =>
  command
    .option('--oidc-issuer <url>', 'single sign-on by OpenID Connect: its issuer (default: ROSLIN_OIDC_ISSUER)')
    .option('--oidc-client <id>', 'client id there (default: ROSLIN_OIDC_CLIENT)')
    .option('--oidc-secret-file <file>', 'file with the client\'s secret; or ROSLIN_OIDC_SECRET; neither for a public client')
    .option('--oidc-domain <domain>', 'verified addresses at it need no invitation; may be given several times (default: ROSLIN_OIDC_DOMAINS, separated by spaces)', several)
    .option('--oidc-host <host>', 'host beside the issuer\'s own that belongs to it; may be given several times (default: ROSLIN_OIDC_HOSTS)', several)
    .option('--oidc-name <name>', 'what the button says (default: ROSLIN_OIDC_NAME, or the issuer\'s host)');

/** Undefined where there is none. Throws UsageError, InputError. */
export function singleSignOnOf(flags: SingleSignOnFlags, environment: Readonly<Record<string, string | undefined>>): SingleSignOnSettings | undefined {
  const variable = (name: string): string | undefined => environment[`ROSLIN_OIDC_${name}`] || undefined;
  const list = (given: readonly string[] | undefined, name: string): readonly string[] => given ?? (variable(name) ?? '').split(/[\s,]+/).filter((part) => part !== '');
  const issuer = flags.oidcIssuer ?? variable('ISSUER');
  const clientId = flags.oidcClient ?? variable('CLIENT');
  if (issuer === undefined && clientId === undefined) return undefined;
  if (issuer === undefined || clientId === undefined) throw new UsageError({ expected: 'both --oidc-issuer and --oidc-client', found: 'one of them', where: issuer === undefined ? '--oidc-issuer' : '--oidc-client' });
  return { issuer, clientId, clientSecret: secretOf(flags.oidcSecretFile ?? variable('SECRET_FILE')) ?? variable('SECRET'), domains: list(flags.oidcDomain, 'DOMAINS').map((domain) => domain.toLowerCase()), hosts: list(flags.oidcHost, 'HOSTS'), name: flags.oidcName ?? variable('NAME') ?? URL.parse(issuer)?.hostname ?? 'single sign-on' };
}

function secretOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const secret = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (secret === '' || /\s/.test(secret)) throw new InputError({ expected: 'a file with the secret alone', found: existsSync(path) ? 'something else' : 'nothing there', where: path, remedy: 'Write the client\'s secret into it, readable by the server\'s user alone.' });
  return secret;
}

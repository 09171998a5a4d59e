/** Where a studio may be reached: flags that fit together, and what follows from them. Plain http is for this machine, and for proxies that are named. */
import { UsageError } from '../../errors.ts';
import { isLoopbackHost, TrustedProxies } from './http.ts';
import type { TlsFiles } from './tls.ts';

export interface ReachOptions {
  readonly host: string;
  readonly tls?: TlsFiles | undefined;
  /** Where people reach it; default: where it listens. */
  readonly publicUrl?: string | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Throws UsageError for what would send passwords in the clear, or be reached by nobody. */
export function requireReach({ host, tls, publicUrl, trustedProxies = [] }: ReachOptions): TrustedProxies {
  const proxies = trusted(trustedProxies);
  if (publicUrl !== undefined && !isOrigin(publicUrl)) throw new UsageError({ expected: 'an address such as https://studio.example.org', found: publicUrl, where: '--public-url', remedy: 'Scheme and host alone, without a path.' });
  const plain = publicUrl?.startsWith('http:') ?? !tls;
  const local = publicUrl === undefined ? isLoopbackHost(host) : isLoopbackHost(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''));
  if (plain && !local) {
    throw new UsageError({ expected: 'https for other machines', found: `plain http on ${publicUrl ?? host}`, where: publicUrl === undefined ? '--host' : '--public-url', remedy: 'Give --tls-cert and --tls-key, or put a proxy with TLS in front and give its address: --public-url https://….' });
  }
  if (tls && publicUrl === undefined && isWildcard(host)) throw new UsageError({ expected: 'the address that people type', found: `${host}, which is none`, where: '--host', remedy: 'Give it: --public-url https://NAME:PORT.' });
  if (tls && publicUrl?.startsWith('http:')) throw new UsageError({ expected: 'https where there is a certificate', found: publicUrl, where: '--public-url', remedy: `Give --public-url ${publicUrl.replace('http:', 'https:')}` });
  if (!tls && !isLoopbackHost(host) && trustedProxies.length === 0) {
    throw new UsageError({ expected: 'the proxy that may come by plain http', found: 'none', where: `--host ${host}`, remedy: 'Name it: --trusted-proxy ADDRESS; or listen on --host 127.0.0.1 if it runs on this machine.' });
  }
  return proxies;
}

/** Whether plain http from other machines is answered to proxies alone. */
export const isForProxies = ({ host, tls }: ReachOptions): boolean => !tls && !isLoopbackHost(host);

const isOrigin = (text: string): boolean => /^https?:\/\/[^/?#@\s]+\/?$/.test(text) && URL.canParse(text);

function trusted(entries: readonly string[]): TrustedProxies {
  try {
    return new TrustedProxies(entries);
  } catch (error) {
    throw new UsageError({ expected: 'addresses or networks such as 10.0.0.0/8', found: (error as Error).message, where: '--trusted-proxy' });
  }
}

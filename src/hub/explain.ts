/**
 * What a failed exchange means for the person at the terminal, and what to do: the hub's error codes (header X-Error-Code:
 * GatedRepo, RepoNotFound, RevisionNotFound, EntryNotFound), plain statuses, and network codes. Values in, errors out.
 * A server's own words are quoted only for refusals without a known code, and never with the token in them.
 */
import { InputError, ResourceError, type RoslinError } from '../errors.ts';
import { plainText, quoted, type HubKind } from './names.ts';
import { shownUrl, type HubResponse, type TransportError } from './http.ts';
import type { Secret } from './settings.ts';

/** What was being asked for. */
export interface Asked {
  readonly kind: HubKind;
  readonly id: string;
  readonly revision: string;
  readonly file?: string;
  readonly endpoint: string;
}

export type Refusal = Pick<HubResponse, 'status' | 'headers' | 'url' | 'fromHub' | 'tokenSent'>;

/** The page of a repository in a browser. */
export function repoPage(asked: Asked): string {
  return `${asked.endpoint}/${asked.kind === 'dataset' ? 'datasets/' : ''}${asked.id}`;
}

export function explainStatus(refusal: Refusal, asked: Asked, token: Secret | undefined): RoslinError {
  const { status, headers, tokenSent } = refusal;
  const code = String(headers['x-error-code'] ?? '');
  const said = redact(String(headers['x-error-message'] ?? ''), token);
  const where = `${asked.kind} ${asked.id}${asked.file ? `, file ${plainText(asked.file, 200)}` : ''}`;
  const authenticate = tokenSent
    ? 'The token that was sent has no access: check that it belongs to the right account and may read this repository.'
    : 'If it is private, put an access token that may read it in HF_TOKEN (or sign in with Hugging Face\'s own tool).';

  if (code === 'GatedRepo') {
    return new InputError({
      expected: 'access to this gated repository', found: tokenSent ? 'an account that has not been let in' : 'no access token', where,
      remedy: `Open ${repoPage(asked)} in a browser, accept its terms, then ${tokenSent ? 'try again once access is granted (some owners answer by hand)' : 'put an access token of that account in HF_TOKEN'}.`,
    });
  }
  if (code === 'RevisionNotFound') {
    return new InputError({
      expected: `the revision ${quoted(asked.revision)}`, found: 'no branch, tag or commit of that name', where,
      remedy: `Look it up at ${repoPage(asked)}, or leave the revision out to use main.`,
    });
  }
  if (code === 'EntryNotFound') {
    return new InputError({
      expected: 'the file', found: `none of that name at revision ${quoted(asked.revision)}`, where, remedy: `Its files are listed at ${repoPage(asked)}/tree/main.`,
    });
  }
  if (status === 401 && /invalid credentials|invalid username or password/i.test(said) && tokenSent) {
    return new InputError({
      expected: 'a valid access token', found: 'one that the hub does not accept (wrong, expired or withdrawn)', where,
      remedy: 'Make a new token in the hub\'s settings and put it in HF_TOKEN; public repositories need none.',
    });
  }
  if (/access to this resource is disabled/i.test(said)) {
    return new InputError({ expected: 'a readable repository', found: 'one that the hub has disabled', where, remedy: `See ${repoPage(asked)}.` });
  }
  if (refusal.fromHub && (code === 'RepoNotFound' || status === 401 || status === 404)) {
    // The hub answers 401 for what does not exist too, so as not to tell which private repositories exist.
    return new InputError({
      expected: `a ${asked.kind} of that name on ${asked.endpoint}`, found: `none, or a private one (${status})`, where,
      remedy: `Check the spelling, capitals included, and that it is a ${asked.kind}. ${authenticate}`,
    });
  }
  if (status === 403) {
    return new InputError({ expected: 'access', found: `a refusal (403${said ? `: ${quoted(said)}` : ''})`, where, remedy: authenticate });
  }
  if (status === 429) {
    return new ResourceError({
      expected: 'an answer', found: 'too many requests for the hub (429)', where,
      remedy: `Wait a few minutes and run the same command again: what was fetched is kept.${tokenSent ? '' : ' A token in HF_TOKEN raises the limit.'}`,
    });
  }
  return new ResourceError({
    expected: 'the file or its description', found: `status ${status} from ${shownUrl(refusal.url)}${said ? `, ${quoted(said)}` : ''}`, where,
    remedy: status >= 500 ? 'The hub has trouble: run the same command again later, what was fetched is kept.' : 'Check HF_ENDPOINT and any proxy in between.',
  });
}

const CERTIFICATE = ['a certificate that is not trusted here', 'If your proxy signs traffic, give its certificate in NODE_EXTRA_CA_CERTS; otherwise check HF_ENDPOINT and the clock.'] as const;
const NETWORK_CODES: Readonly<Record<string, readonly [found: string, remedy: string]>> = {
  ENOTFOUND: ['no host of that name', 'Check the network, HF_ENDPOINT, and HTTPS_PROXY if you sit behind a proxy.'],
  EAI_AGAIN: ['no answer from name resolution', 'Check the network, and HTTPS_PROXY if you sit behind a proxy.'],
  ECONNREFUSED: ['a refused connection', 'Check HF_ENDPOINT, and HTTPS_PROXY if you sit behind a proxy.'],
  STALLED: ['silence for too long', 'Run the same command again: it goes on where it stopped. HF_HUB_DOWNLOAD_TIMEOUT (seconds) allows longer silences.'],
  UNSAFE_REDIRECT: ['a redirect away from https', 'Check HF_ENDPOINT: an honest hub does not do that.'],
  TOO_MANY_REDIRECTS: ['redirects without end', 'Check HF_ENDPOINT.'],
  ERR_PROXY_TUNNEL: ['a proxy that did not let the connection through', 'Check HTTPS_PROXY, its user name and password, and NO_PROXY.'],
};

export function explainTransport(error: TransportError, asked: Asked): RoslinError {
  const [found, remedy] = NETWORK_CODES[error.code]
    ?? (/CERT|UNABLE_TO_/.test(error.code) ? [`${CERTIFICATE[0]} (${error.code})`, CERTIFICATE[1]] : [`a broken connection (${error.code})`, 'Run the same command again: it goes on where it stopped.']);
  return new ResourceError({
    expected: `an answer from ${error.host}`, found, where: `${asked.kind} ${asked.id}${asked.file ? `, file ${plainText(asked.file, 200)}` : ''}`,
    remedy: `${remedy} With --offline only files already in the cache are used.`,
  });
}

function redact(text: string, token: Secret | undefined): string {
  // Before the cut, which could otherwise leave half a token standing.
  const hidden = token ? text.replaceAll(token.reveal(), '[token]') : text;
  return plainText(hidden.replace(/hf_\w{6,}/g, '[token]'), 200);
}

/**
 * Where the hub is, who we are and where its files are kept: options, then the environment variables of Hugging Face's own
 * tools with their defaults (names and order as in huggingface_hub's constants.py and utils/_auth.py). Reads the environment
 * and the token file; changes nothing.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { UsageError } from '../errors.ts';

export interface HubOptions {
  /** Hub address, default HF_ENDPOINT or https://huggingface.co. */
  readonly endpoint?: string | undefined;
  /** Access token; `false` sends none. Default: HF_TOKEN, then the token file. */
  readonly token?: string | false | undefined;
  /** Cache folder, default HF_HUB_CACHE (see hubSettings). */
  readonly cacheDir?: string | undefined;
  /** Use nothing but the cache. Default: HF_HUB_OFFLINE. */
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Environment to read instead of process.env. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Milliseconds without a byte until a download counts as stalled. Default: HF_HUB_DOWNLOAD_TIMEOUT or 10 s. */
  readonly stallMs?: number | undefined;
}

export interface RetryPolicy {
  /** Tries in a row without progress before giving up. */
  readonly tries: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A server may ask for a longer wait (Retry-After) up to this. */
  readonly longestAskedWaitMs: number;
}

export interface HubSettings {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly token: Secret | undefined;
  readonly cacheDir: string;
  readonly offline: boolean;
  readonly symlinks: boolean;
  readonly metadataTimeoutMs: number;
  readonly stallMs: number;
  readonly retry: RetryPolicy;
  readonly proxyEnv: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal | undefined;
}

/** A value that no message, JSON or inspection shows. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** Options and environment together. An empty variable counts as unset. Throws UsageError for an endpoint or token that cannot be one. */
export function hubSettings(options: HubOptions = {}): HubSettings {
  const env = options.env ?? process.env;
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const folder = (value: string): string => resolve(expand(value, env, home));
  const hfHome = folder(env['HF_HOME'] || join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'huggingface'));
  const cacheDir = folder(options.cacheDir ?? (env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(hfHome, 'hub')));
  const tokenPath = folder(env['HF_TOKEN_PATH'] || join(hfHome, 'token'));
  return {
    endpoint: checkEndpoint(options.endpoint ?? (env['HF_ENDPOINT'] || DEFAULT_ENDPOINT)),
    token: findToken(options.token, env, tokenPath),
    cacheDir,
    offline: options.offline ?? isTrue(env['HF_HUB_OFFLINE'] || env['TRANSFORMERS_OFFLINE']),
    symlinks: !isTrue(env['HF_HUB_DISABLE_SYMLINKS']),
    metadataTimeoutMs: seconds(env['HF_HUB_ETAG_TIMEOUT']) ?? 10_000,
    stallMs: options.stallMs ?? seconds(env['HF_HUB_DOWNLOAD_TIMEOUT']) ?? 10_000,
    retry: { tries: 5, firstWaitMs: 1000, longestWaitMs: 8000, longestAskedWaitMs: 60_000, ...options.retry },
    proxyEnv: proxyVariables(env),
    signal: options.signal,
  };
}

function checkEndpoint(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    url = undefined;
  }
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username || url.password || url.search || url.hash) {
    throw new UsageError({
      // The text itself is not repeated: it may hold a password.
      expected: 'an http or https address without user name, password or query as hub endpoint', found: 'something else',
      where: 'HF_ENDPOINT or --endpoint', remedy: `Unset it to use ${DEFAULT_ENDPOINT}; give access tokens in HF_TOKEN.`,
    });
  }
  return url.href.replace(/\/+$/, '');
}

function findToken(given: string | false | undefined, env: NodeJS.ProcessEnv, tokenPath: string): Secret | undefined {
  if (given === false) return undefined;
  if (given !== undefined) return cleanToken(given, 'the token given');
  if (isTrue(env['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const variable = env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'];
  if (variable) {
    const token = cleanToken(variable, 'HF_TOKEN');
    if (token) return token;
  }
  try {
    return cleanToken(readFileSync(tokenPath, 'utf8'), tokenPath);
  } catch (error) {
    // No file, or one this user may not read: the same as not being signed in.
    if (error instanceof UsageError) throw error;
    return undefined;
  }
}

function cleanToken(text: string, where: string): Secret | undefined {
  const token = text.replace(/[\r\n]/g, '').trim();
  if (token === '') return undefined;
  if (token.length > 4096 || !/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError({
      expected: 'an access token: one word of printable ASCII', found: 'something else (not shown)', where,
      remedy: 'Copy the token again from the hub\'s settings page.',
    });
  }
  return new Secret(token);
}

/**
 * Node's agents read http_proxy, https_proxy and no_proxy in either case. Two things other tools do are added: ALL_PROXY for
 * whichever is unset, and a bare domain in NO_PROXY covering its subdomains.
 */
function proxyVariables(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const all = env['all_proxy'] || env['ALL_PROXY'];
  const no = env['no_proxy'] || env['NO_PROXY'];
  return {
    http_proxy: env['http_proxy'] || env['HTTP_PROXY'] || all,
    https_proxy: env['https_proxy'] || env['HTTPS_PROXY'] || all,
    no_proxy: no?.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')
      .flatMap((entry) => (/^[a-z]/i.test(entry) ? [entry, `.${entry}`] : [entry])).join(','),
  };
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 'ON', 'YES', 'TRUE'].includes(value.toUpperCase());
}

function seconds(value: string | undefined): number | undefined {
  const number = Number(value || NaN);
  return Number.isFinite(number) && number > 0 ? number * 1000 : undefined;
}

/** `~`, `$NAME` and `${NAME}` as Python's expanduser and expandvars: unknown names stay as they are. */
function expand(path: string, env: NodeJS.ProcessEnv, home: string): string {
  return path.replace(/^~(?=$|[/\\])/, () => home)
    .replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => env[bare ?? braced ?? ''] ?? whole);
}

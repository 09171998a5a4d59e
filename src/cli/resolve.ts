/** What a person names, model or data, as a path: a path that exists, a name in `.roslin/`, or a hub id, fetched with its size, licence and time shown first. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { interruptSignal } from './interrupt.ts';
import { Progress } from './progress.ts';
import { bytes, duration, note, sanitise } from './terminal.ts';

export interface ResolveOptions {
  readonly revision?: string | undefined;
  readonly offline?: boolean | undefined;
}

export interface Resolved {
  readonly path: string;
  /** What the hub says of it, where it came from there. */
  readonly licence?: string;
}

const HUB_ID = /^[\w.-]+\/[\w.-]+(@[^:]+)?(:.+)?$/;

export async function resolve(named: string, kind: 'model' | 'dataset', options: ResolveOptions = {}): Promise<Resolved> {
  const store = join('.roslin', kind === 'model' ? 'models' : 'data', named);
  for (const path of [named, store, `${store}.gguf`, `${store}.jsonl`]) if (existsSync(path)) return { path };
  if (!HUB_ID.test(named) || named.startsWith('.')) {
    throw new InputError({ expected: kind === 'model' ? 'a model folder, a .gguf file or a hub id (owner/name)' : 'a .jsonl file or a hub id (owner/name)', found: 'nothing there', where: sanitise(named), remedy: 'Check the path.' });
  }
  return fetchFromHub(named, kind, options);
}

/** The path that `--base` names, if it was given. */
export async function resolveBase({ base, offline }: { readonly base?: string | undefined; readonly offline?: boolean | undefined }): Promise<string | undefined> {
  return base === undefined ? undefined : (await resolve(base, 'model', { offline })).path;
}

async function fetchFromHub(id: string, kind: 'model' | 'dataset', { revision, offline }: ResolveOptions): Promise<Resolved> {
  const { resolveHub, measureRate, downloadHub } = await import('../hub/index.ts');
  const hub = { signal: interruptSignal(), ...(offline ? { offline } : {}) };
  const plan = await resolveHub({ kind, id, ...(revision === undefined ? {} : { revision }), ...hub });
  const licence = plan.licence?.name ?? plan.licence?.id;
  if (plan.note) note(sanitise(plan.note));
  if (plan.bytesToFetch > 0) {
    const rate = await measureRate(plan, hub);
    const time = rate === undefined ? '' : `, about ${duration(plan.bytesToFetch / rate)}`;
    note(`Fetching ${sanitise(id)} at ${plan.commit.slice(0, 12)}: ${bytes(plan.bytesToFetch)}${time}, licence ${sanitise(licence ?? 'not stated')}`);
    using progress = new Progress();
    for await (const event of downloadHub(plan, hub)) {
      if (event.type === 'progress') progress.update(`${bytes(event.bytes)} of ${bytes(event.total)}, ${bytes(event.rate)}/s, ${event.secondsLeft === undefined ? '' : `${duration(event.secondsLeft)} left`}`);
      else if (event.type === 'retry') progress.note(`the line broke; trying again`);
    }
  }
  return { path: plan.entry, ...(licence === undefined ? {} : { licence }) };
}

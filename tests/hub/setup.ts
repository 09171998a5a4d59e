/** What every test of the hub needs: a fake hub, an empty cache, quick retries, no variables of the machine. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadHub, resolveHub, type HubEvent, type HubOptions, type HubPlan, type HubRequest } from '../../src/hub/index.ts';
import { FakeHub } from './fake-hub.ts';

export const TOKEN = 'hf_abcdefSECRETtoken123';

export class Bench implements AsyncDisposable {
  readonly hub: FakeHub;
  readonly cacheDir = mkdtempSync(join(tmpdir(), 'roslin-hub-'));

  static async start(): Promise<Bench> {
    return new Bench(await FakeHub.start());
  }

  private constructor(hub: FakeHub) {
    this.hub = hub;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    rmSync(this.cacheDir, { recursive: true, force: true });
  }

  get options(): HubOptions {
    return {
      endpoint: this.hub.endpoint, cacheDir: this.cacheDir, env: {}, token: false, stallMs: 5000,
      retry: { tries: 4, firstWaitMs: 5, longestWaitMs: 10, longestAskedWaitMs: 50 },
    };
  }

  resolve(request: Pick<HubRequest, 'kind' | 'id'> & Partial<HubRequest>): Promise<HubPlan> {
    return resolveHub({ ...this.options, ...request });
  }

  async download(plan: HubPlan, options: Partial<HubOptions> = {}): Promise<HubEvent[]> {
    const events: HubEvent[] = [];
    for await (const event of downloadHub(plan, { ...this.options, ...options })) events.push(event);
    return events;
  }

  /** Names of files in the repository's blobs folder. */
  blobs(folder: string): string[] {
    try {
      return readdirSync(join(this.cacheDir, folder, 'blobs')).sort();
    } catch {
      return [];
    }
  }
}

/** `length` bytes that look random and are the same in every run: the high bytes of a linear congruence. */
export function bytes(length: number, seed = 1): Buffer {
  const buffer = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    buffer[index] = state >>> 24;
  }
  return buffer;
}

export const MODEL = {
  'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
  'config.json': '{"model_type":"gpt_neox"}',
  'tokenizer.json': '{"version":"1.0"}',
  'tokenizer_config.json': '{}',
  '.gitattributes': '*.safetensors filter=lfs',
  'pytorch_model.bin': 'pickled',
} as const;

/** A one-file dataset is the smallest thing to download. */
export const DATA = 'roslin/data';
export const DATA_FOLDER = 'datasets--roslin--data';

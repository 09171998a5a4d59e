/**
 * Signed-in people at work against a running server: each saves the own draft every 3 s and does something every 5 to 10 s: looks at a page,
 * asks for checks, hands in and takes the next task, reviews. Nobody reads faster than a review may be, so that reviews count.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/artefacts/random.ts';
import { CATEGORIES, NEEDS_PASSAGE, type CategoryKey } from '../../../src/collect/rules/categories.ts';
import type { RecordText } from '../../../src/collect/rules/forms.ts';
import { countWords } from '../../../src/text/words.ts';
import { typedSoFar, type ReplayText } from '../../collect/replay.ts';
import type { Acknowledged } from './acknowledged.ts';
import { codeOf, type Caller, type Reply } from './caller.ts';
import { loginOf } from './setup.ts';

export interface Pace {
  readonly save_ms: number;
  readonly act_ms: readonly [number, number];
  /** Saves until a text is whole. */
  readonly saves: number;
  /** Words a second that reviewers read; 10 is the most that counts. */
  readonly read_words: number;
}

export const DOLLY_PACE: Pace = { save_ms: 3000, act_ms: [5000, 10_000], saves: 5, read_words: 9 };

export interface CrowdOptions {
  readonly people: readonly { readonly n: number; readonly caller: Caller }[];
  readonly texts: ReplayText[];
  readonly acknowledged: Acknowledged;
  readonly pace: Pace;
  readonly seed: number;
  /** What a reviewer says of a text. */
  readonly verdict: (text: RecordText, person: number, passage: boolean) => { readonly scores: Readonly<Record<string, number>>; readonly verdict: string; readonly comment: string };
}

interface Writing {
  readonly id: string;
  readonly category: CategoryKey;
  readonly text: RecordText;
  revision: number;
  saves: number;
  whole: boolean;
  /** A save is on its way, or had no answer: what the server has is not known, and nothing is handed in. */
  unsure: boolean;
  handingIn: boolean;
}

/** Undecided records are few at first: then one reviews. */
const WEIGHTS = { home: 20, board: 10, records: 8, record: 8, check: 10, hand_in: 22, review: 22 } as const;

export class Crowd {
  readonly #o: CrowdOptions;
  #running = true;
  /** Refusals by route and code, and answers that should not be. */
  readonly refused = new Map<string, number>();
  readonly wrong: string[] = [];
  #paused = false;
  #busy = 0;
  /** Broken connections and 503 are expected while a server is killed. */
  tolerant = false;

  constructor(options: CrowdOptions) {
    this.#o = options;
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    await Promise.all(this.#o.people.map(({ n, caller }, i) => new Worker(this, this.#o, n, caller, i).run(() => this.#running)));
  }

  stop(): void {
    this.#running = false;
  }

  /** Returns when every request has its answer; nothing is asked until `resume`. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (this.#busy > 0) await sleep(10);
  }

  resume(): void {
    this.#paused = false;
  }

  async deed(work: () => Promise<void>): Promise<void> {
    if (this.#paused) return;
    this.#busy++;
    try {
      await work();
    } finally {
      this.#busy--;
    }
  }

  look(route: string, reply: Reply): Reply {
    if (reply.status === 200) return reply;
    const code = codeOf(reply);
    const passing = this.tolerant && (reply.status === 0 || reply.status === 503);
    if (!passing && (reply.status === 0 || reply.status >= 500 || UNEXPECTED.has(code))) this.wrong.push(`${route}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
    this.refused.set(`${route} ${code}`, (this.refused.get(`${route} ${code}`) ?? 0) + 1);
    return reply;
  }
}

const UNEXPECTED: ReadonlySet<string> = new Set(['signed_out', 'forbidden', 'too_many_requests', 'invalid_request', 'draft_conflict', 'unsupported_media_type']);

class Worker {
  readonly #crowd: Crowd;
  readonly #o: CrowdOptions;
  readonly #n: number;
  readonly #caller: Caller;
  readonly #random: Random;
  #draft: Writing | undefined;
  #review: { readonly id: string; readonly text: RecordText; readonly grounded: boolean; readonly readAt: number } | undefined;
  readonly #categories: readonly CategoryKey[];
  #records: string[] = [];
  #handedIn = 0;

  constructor(crowd: Crowd, options: CrowdOptions, n: number, caller: Caller, place: number) {
    [this.#crowd, this.#o, this.#n, this.#caller] = [crowd, options, n, caller];
    this.#random = new Random(options.seed * 1000 + place);
    this.#categories = CATEGORIES.filter((key) => !NEEDS_PASSAGE.includes(key) && options.texts.some(({ category }) => category === key));
  }

  async run(running: () => boolean): Promise<void> {
    const { save_ms, act_ms: [least, most] } = this.#o.pace;
    const every = async (wait: () => number, deed: () => Promise<void>) => {
      await sleep(this.#random.next() * most);
      while (running()) {
        const begun = performance.now();
        await this.#crowd.deed(deed);
        await sleep(Math.max(0, wait() - (performance.now() - begun)));
      }
    };
    await Promise.all([every(() => save_ms, () => this.#save()), every(() => least + (most - least) * this.#random.next(), () => this.#act())]);
  }

  async #ask(method: string, path: string, body?: unknown, route = `${method} ${path}`): Promise<Reply> {
    return this.#crowd.look(route, await this.#caller.ask(method, path, body, route));
  }

  async #save(): Promise<void> {
    const draft = this.#draft;
    // As the page does: nothing is saved while it is handed in.
    if (!draft || draft.handingIn) return;
    const { saves } = this.#o.pace;
    draft.saves++;
    // Once it is whole its end is taken away and written again.
    const typed = draft.saves < saves ? draft.saves : saves - ((draft.saves - saves) % 2);
    const body = typed === saves ? draft.text : { ...typedSoFar({ ...draft.text, category: draft.category }, typed, saves), context: draft.text.context };
    const known = this.#o.acknowledged.drafts.get(draft.id);
    if (known) known.sent = body;
    draft.unsure = true;
    const reply = await this.#ask('PUT', `/api/drafts/${draft.id}`, { body, revision: draft.revision, device: 'crowd' }, 'PUT /api/drafts/{id}');
    if (reply.status !== 200) {
      draft.saves--;
      return;
    }
    draft.unsure = false;
    draft.revision = reply.body.revision;
    draft.whole ||= draft.saves >= saves;
    this.#o.acknowledged.drafts.set(draft.id, { revision: draft.revision, body, closed: false });
  }

  async #act(): Promise<void> {
    if (this.#review && performance.now() >= this.#review.readAt) return this.#handInReview();
    if (!this.#draft) return this.#take();
    let at = this.#random.next() * Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
    const deed = (Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]).find((name) => (at -= WEIGHTS[name]) < 0)!;
    switch (deed) {
      case 'home':
        await Promise.all([this.#ask('GET', '/api/session'), this.#ask('GET', '/api/home')]);
        return;
      case 'board':
        await this.#ask('GET', `/api/board?period=${this.#random.next() < 0.5 ? 'day' : 'all'}`, undefined, 'GET /api/board');
        return;
      case 'records': {
        const reply = await this.#ask('GET', '/api/records');
        if (reply.status === 200) this.#records = (reply.body.records as { id: string }[]).map(({ id }) => id);
        return;
      }
      case 'record':
        if (this.#records.length > 0) await this.#ask('GET', `/api/records/${this.#random.pick(this.#records)}`, undefined, 'GET /api/records/{id}');
        else await this.#ask('GET', '/api/me');
        return;
      case 'check':
        await this.#ask('POST', `/api/drafts/${this.#draft.id}/check`, { body: this.#draft.text }, 'POST /api/drafts/{id}/check');
        return;
      case 'hand_in':
        return this.#draft.whole && !this.#draft.unsure ? this.#handIn(this.#draft) : this.#nextReview();
      case 'review':
        return this.#nextReview();
    }
  }

  async #take(): Promise<void> {
    const category = this.#random.pick(this.#categories);
    const claimed = await this.#ask('POST', '/api/tasks/claim', { category, kind: 'author' });
    if (claimed.status !== 200) return this.#nextReview();
    const opened = await this.#ask('GET', `/api/drafts/${claimed.body.draft_id}`, undefined, 'GET /api/drafts/{id}');
    if (opened.status !== 200) return;
    const { id, revision, category: drawn, body } = opened.body.draft as { id: string; revision: number; category: CategoryKey; body: RecordText };
    const at = this.#o.texts.findLastIndex((text) => text.category === drawn && text.context === '');
    if (at < 0) return;
    const { instruction, response } = this.#o.texts.splice(at, 1)[0]!;
    this.#o.acknowledged.drafts.set(id, { revision, body, closed: false });
    this.#draft = { id, category: drawn, text: { instruction, context: body.context, response }, revision, saves: 0, whole: false, unsure: false, handingIn: false };
  }

  async #handIn(draft: Writing): Promise<void> {
    draft.handingIn = true;
    try {
      await this.#sendIn(draft);
    } finally {
      draft.handingIn = false;
    }
  }

  async #sendIn(draft: Writing): Promise<void> {
    const key = `${draft.id}-${this.#handedIn++}`;
    const input = { draft_id: draft.id, revision: draft.revision, body: draft.text, attestation: { original: true, no_ai: true }, telemetry: { paste_share: 0.1, active_ms: 60_000, edits: 40 }, idempotency_key: key };
    const known = this.#o.acknowledged.drafts.get(draft.id);
    if (known) known.sent = draft.text;
    let reply = await this.#ask('POST', '/api/records', input);
    // As the page does: the same again until there is an answer. It must not make two.
    for (let tries = 0; this.#crowd.tolerant && (reply.status === 0 || reply.status === 503) && tries < 200; tries++) {
      await sleep(100);
      reply = await this.#ask('POST', '/api/records', input);
    }
    if (reply.status === 200) {
      this.#o.acknowledged.submissions.set(reply.body.record_id, { login: loginOf(this.#n), key, text: draft.text });
      if (known) known.closed = true;
      this.#draft = undefined;
      return this.#take();
    }
    if (codeOf(reply) === 'findings' || codeOf(reply) === 'lease_gone' || codeOf(reply) === 'draft_closed') {
      const gone = await this.#ask('DELETE', `/api/drafts/${draft.id}`, undefined, 'DELETE /api/drafts/{id}');
      if (known) known.closed = true;
      if (gone.status === 200 || gone.status === 404) this.#draft = undefined;
    }
  }

  async #nextReview(): Promise<void> {
    if (this.#review) return;
    const reply = await this.#ask('POST', '/api/reviews/next');
    const item = reply.status === 200 ? reply.body.item : null;
    if (item === null) return;
    const words = countWords(`${item.version.instruction} ${item.version.context} ${item.version.response}`, 'en');
    this.#review = { id: item.review_id, text: item.version, grounded: item.criteria.includes('grounded'), readAt: performance.now() + (1000 * words) / this.#o.pace.read_words };
  }

  async #handInReview(): Promise<void> {
    const { id, text, grounded } = this.#review!;
    const said = this.#o.verdict(text, this.#n, grounded);
    const reply = await this.#ask('POST', `/api/reviews/${id}/submit`, { ...said, flags: [] }, 'POST /api/reviews/{id}/submit');
    if (reply.status === 200) this.#o.acknowledged.reviews.set(id, { login: loginOf(this.#n), verdict: said.verdict });
    // Without an answer it may be there or not; the next one tells.
    this.#review = undefined;
  }
}

/**
 * Plays a replay (tests/collect/replay.ts) over HTTP against a server whose clock it sets: in each minute of the campaign everybody's requests
 * at once, a few at a time. Who holds a task finishes it before the next; who may have no more waiting comes back later; a record that the
 * server finds too like another is written anew.
 */
import { Random } from '../../../src/artefacts/random.ts';
import { NEEDS_PASSAGE, type CategoryKey } from '../../../src/collect/rules/categories.ts';
import { lastCutoff } from '../../../src/collect/rules/calendar.ts';
import { formFindings, type RecordText } from '../../../src/collect/rules/forms.ts';
import { countWords } from '../../../src/text/words.ts';
import { judge, type ReplayEvent, type ReplaySettings, type ReplayText } from '../../collect/replay.ts';
import type { Acknowledged } from './acknowledged.ts';
import { Caller, codeOf, type Reply, type Target } from './caller.ts';
import { inviteAll, join_, signIn } from './setup.ts';
import type { ReplayServer } from './processes.ts';

export interface WeekOptions {
  readonly settings: ReplaySettings;
  readonly events: readonly ReplayEvent[];
  readonly server: ReplayServer;
  readonly target: Target;
  readonly owner: Caller;
  readonly acknowledged: Acknowledged;
  /** Texts that nobody writes by plan: instead of what is refused. */
  readonly spare: ReplayText[];
  /** By passage the texts about it; those that were written are taken out. */
  readonly about: Map<string, ReplayText[]>;
  readonly boardHour: number;
  readonly moderators: number;
  readonly onProgress?: (line: string) => void;
}

interface Member {
  readonly n: number;
  readonly caller: Caller;
  joined: boolean;
  writing: boolean;
  reviewing: boolean;
  readonly waiting: (() => void)[];
}

interface Deed {
  readonly at: number;
  readonly order: number;
  readonly run: () => Promise<void>;
}

const MINUTE = 60_000;
const AT_ONCE = 12;
const WORDS_A_MINUTE = 250;
const MOST_TRIES = 30;

export class Week {
  readonly #o: WeekOptions;
  readonly #people: Member[];
  readonly #random: Random;
  readonly #heap: Deed[] = [];
  #order = 0;
  #now = 0;
  #submissions = 0;
  #reviews = 0;
  /** Number of a submission by what was written in it, for `judge`. */
  readonly #numbers = new Map<string, number>();
  readonly #records = new Map<number, { readonly id: string; readonly n: number }>();
  readonly refused = new Map<string, number>();
  /** Submissions that nobody came to write in the end. */
  readonly unwritten: number[] = [];

  constructor(options: WeekOptions) {
    this.#o = options;
    this.#random = new Random(options.settings.seed + 1);
    this.#people = Array.from({ length: options.settings.people }, (_, n) => ({ n, caller: new Caller(options.target, n + 2), joined: false, writing: false, reviewing: false, waiting: [] }));
  }

  /** Everybody with their cookie, for who goes on. */
  get people(): readonly { readonly n: number; readonly caller: Caller }[] {
    return this.#people;
  }

  get done(): { readonly submissions: number; readonly reviews: number } {
    return { submissions: this.#submissions, reviews: this.#reviews };
  }

  /** What is judged when this text is met. */
  numberOf(text: Pick<RecordText, 'instruction' | 'response'>): number {
    return this.#numbers.get(keyOf(text)) ?? 0;
  }

  async play(): Promise<void> {
    const { events, settings, server, owner } = this.#o;
    const first = events[0]!.at;
    this.#now = first - 30 * MINUTE;
    await server.setClock(this.#now);
    const joins = new Map(events.filter((event) => event.type === 'join').map((event) => [event.person, event]));
    const tokens = await inviteAll(owner, this.#people.map(({ n }) => ({ roles: n < this.#o.moderators ? 'member reviewer moderator' : 'member reviewer', team: `Team ${joins.get(n)!.team}` })));
    for (const event of events) this.#plan(event, tokens);
    const last = events.at(-1)!.at;
    for (let at = first; at < last + 12 * 60 * MINUTE; at += 30 * MINUTE) this.#at(at, () => this.#moderate());
    let day = -1;
    let said = performance.now();
    while (this.#heap.length > 0) {
      const to = Math.max(this.#now, this.#heap[0]!.at) + MINUTE;
      const cutoff = lastCutoff(to, this.#o.boardHour, settings.time_zone);
      this.#now = to;
      await server.setClock(to);
      if (cutoff !== day) await server.jobs();
      day = cutoff;
      const batch: Deed[] = [];
      while (this.#heap.length > 0 && this.#heap[0]!.at <= to) batch.push(this.#pop());
      await eachAtMost(AT_ONCE, batch, ({ run }) => run());
      if (performance.now() - said > 15_000) {
        said = performance.now();
        this.#o.onProgress?.(`${new Date(to).toISOString()}  ${this.#submissions} submissions, ${this.#reviews} reviews`);
      }
    }
    // Reviews go on until there are as many as were planned, or nothing is left to review.
    for (let idle = 0; this.#reviews < settings.submissions * settings.reviews_each && idle < 30;) {
      const before = this.#reviews;
      this.#now += 20 * MINUTE;
      await server.setClock(this.#now);
      const wanted = Math.min(400, settings.submissions * settings.reviews_each - before);
      await eachAtMost(AT_ONCE, Array.from({ length: wanted }, () => this.#people[Math.floor(this.#random.next() * this.#people.length)]!), (member) => this.#review(member, 0));
      await this.#drain();
      await this.#moderate();
      idle = this.#reviews === before ? idle + 1 : 0;
    }
    await this.#drain();
    this.#now += 24 * 60 * MINUTE;
    await server.setClock(this.#now);
    await server.jobs();
  }

  /** What was begun is ended. */
  async #drain(): Promise<void> {
    while (this.#heap.length > 0) {
      this.#now = Math.max(this.#now, this.#heap[0]!.at) + MINUTE;
      await this.#o.server.setClock(this.#now);
      const batch: Deed[] = [];
      while (this.#heap.length > 0 && this.#heap[0]!.at <= this.#now) batch.push(this.#pop());
      await eachAtMost(AT_ONCE, batch, ({ run }) => run());
    }
  }

  #plan(event: ReplayEvent, tokens: readonly string[]): void {
    const member = this.#people[event.person]!;
    switch (event.type) {
      case 'join':
        return this.#at(event.at, async () => {
          await join_(member.caller, member.n, tokens[member.n]!, event.board_visibility, this.#o.acknowledged);
          member.joined = true;
        });
      case 'submit':
        return this.#at(event.at - event.writing_ms, () => this.#write(member, event.submission, event.text, event.writing_ms, event.retries, 0));
      case 'give_up':
        return this.#at(event.at - event.text.response.length * 20, () => this.#giveUp(member, event.text));
      case 'review':
        return this.#at(event.at, () => this.#review(member, 0));
      case 'withdraw':
        return this.#at(event.at, () => this.#withdraw(event.submission));
      case 'claim': // whoever writes claims first
        return;
    }
  }

  /** Takes a task, writes for a while, hands in. */
  async #write(member: Member, submission: number, planned: ReplayText, writing_ms: number, retries: number, tries: number): Promise<void> {
    const again = (later: number, other = member, text = planned) => this.#at(this.#now + later, () => this.#write(other, submission, text, writing_ms, retries, tries + 1));
    if (tries >= MOST_TRIES) return void this.unwritten.push(submission);
    if (!member.joined) return again(10 * MINUTE, this.#anybody());
    if (member.writing) return void member.waiting.push(() => this.#at(this.#now, () => this.#write(member, submission, planned, writing_ms, retries, tries)));
    member.writing = true;
    const draft = await this.#claim(member, planned.category);
    if (draft === undefined) {
      this.#free(member);
      // Somebody else writes it in the end.
      return again(2 * 60 * MINUTE, tries >= 3 ? this.#anybody() : member);
    }
    const text = draft.passage === '' ? this.#unwritten(planned) : this.#about(draft.passage, draft.category);
    if (text === undefined) {
      await this.#ask(member, 'POST', `/api/drafts/${draft.id}/release`, { reason: 'I know nothing about this.' }, 'POST /api/drafts/{id}/release');
      this.#free(member);
      // After some passages that nobody wrote about, something without one.
      return again(MINUTE, member, tries < 4 ? planned : (this.#o.spare.pop() ?? planned));
    }
    this.#at(this.#now + Math.min(writing_ms, 100 * MINUTE), () => this.#handIn(member, submission, draft, text, retries, 0));
  }

  async #claim(member: Member, category: CategoryKey): Promise<{ id: string; category: CategoryKey; passage: string; revision: number } | undefined> {
    const claimed = await this.#ask(member, 'POST', '/api/tasks/claim', { category, kind: 'author' });
    if (claimed.status !== 200) return undefined;
    const { draft } = await member.caller.ok('GET', `/api/drafts/${claimed.body.draft_id}`, undefined, 'GET /api/drafts/{id}') as { draft: { id: string; category: CategoryKey; body: RecordText; revision: number } };
    return { id: draft.id, category: draft.category, passage: draft.body.context, revision: draft.revision };
  }

  /** The planned text, or, where a passage was planned and another category drawn, a spare one. */
  #unwritten(planned: ReplayText): RecordText | undefined {
    return planned.context === '' ? planned : this.#o.spare.pop();
  }

  #about(passage: string, category: CategoryKey): RecordText | undefined {
    const texts = this.#o.about.get(passage) ?? [];
    const at = texts.findIndex((text) => formFindings(category, text, 'en').every(({ severity }) => severity !== 'block'));
    return at < 0 ? undefined : texts.splice(at, 1)[0];
  }

  async #handIn(member: Member, submission: number, draft: { id: string; category: CategoryKey; revision: number; passage: string }, text: RecordText, retries: number, tries: number): Promise<void> {
    const body = { instruction: text.instruction, context: text.context, response: text.response };
    const { acknowledged } = this.#o;
    const saved = await this.#ask(member, 'PUT', `/api/drafts/${draft.id}`, { body, revision: draft.revision, device: 'replay' }, 'PUT /api/drafts/{id}');
    if (saved.status !== 200) return this.#free(member);
    draft.revision = saved.body.revision;
    acknowledged.drafts.set(draft.id, { revision: draft.revision, body, closed: false });
    const key = `${draft.id}-${tries}`;
    const input = { draft_id: draft.id, revision: draft.revision, body, attestation: { original: true, no_ai: true }, telemetry: { paste_share: 0, active_ms: 60_000, edits: 40 }, idempotency_key: key };
    const replies = await Promise.all(Array.from({ length: retries + 1 }, () => this.#ask(member, 'POST', '/api/records', input)));
    const reply = replies[0]!;
    if (reply.status === 200) {
      if (new Set(replies.map((one) => one.body.record_id)).size !== 1) throw new Error(`one key, several records: ${JSON.stringify(replies.map((one) => one.body))}`);
      acknowledged.submissions.set(reply.body.record_id, { login: `person${member.n}`, key, text: body });
      acknowledged.drafts.get(draft.id)!.closed = true;
      this.#records.set(submission, { id: reply.body.record_id, n: member.n });
      this.#numbers.set(keyOf(body), submission);
      this.#submissions++;
      return this.#free(member);
    }
    const code = codeOf(reply);
    if (code === 'pending_cap' && tries < 20) return this.#at(this.#now + 60 * MINUTE, () => this.#handIn(member, submission, draft, text, 0, tries + 1));
    const other = code === 'findings' && tries < 5 ? (draft.passage === '' ? this.#spareOf(draft.category) : this.#about(draft.passage, draft.category)) : undefined;
    if (other !== undefined) return this.#at(this.#now + 10 * MINUTE, () => this.#handIn(member, submission, draft, other, 0, tries + 1));
    await this.#ask(member, 'DELETE', `/api/drafts/${draft.id}`, undefined, 'DELETE /api/drafts/{id}');
    acknowledged.drafts.get(draft.id)!.closed = true;
    this.#free(member);
    const spare = this.#o.spare.pop();
    if (!spare) this.unwritten.push(submission);
    else this.#at(this.#now + 30 * MINUTE, () => this.#write(this.#anybody(), submission, spare, 10 * MINUTE, 0, 0));
  }

  #spareOf(category: CategoryKey): ReplayText | undefined {
    const at = this.#o.spare.findLastIndex((text) => text.category === category);
    return at < 0 ? undefined : this.#o.spare.splice(at, 1)[0];
  }

  async #giveUp(member: Member, text: ReplayText): Promise<void> {
    if (!member.joined || member.writing || NEEDS_PASSAGE.includes(text.category)) return;
    member.writing = true;
    const draft = await this.#claim(member, text.category);
    if (draft !== undefined) {
      const body = { instruction: text.instruction, context: '', response: text.response.slice(0, text.response.length / 2) };
      const saved = await this.#ask(member, 'PUT', `/api/drafts/${draft.id}`, { body, revision: draft.revision, device: 'replay' }, 'PUT /api/drafts/{id}');
      if (saved.status === 200) this.#o.acknowledged.drafts.set(draft.id, { revision: saved.body.revision, body, closed: false });
      await this.#ask(member, 'POST', `/api/drafts/${draft.id}/release`, { reason: 'Something else came up.' }, 'POST /api/drafts/{id}/release');
    }
    this.#free(member);
  }

  async #review(member: Member, tries: number): Promise<void> {
    const another = () => {
      if (tries < 12) this.#at(this.#now + 15 * MINUTE, () => this.#review(this.#anybody(), tries + 1));
    };
    if (!member.joined || member.reviewing) return another();
    member.reviewing = true;
    const next = await this.#ask(member, 'POST', '/api/reviews/next');
    const item = next.status === 200 ? next.body.item : null;
    if (item === null) {
      member.reviewing = false;
      return another();
    }
    const words = countWords(`${item.version.instruction} ${item.version.context} ${item.version.response}`, 'en');
    this.#at(this.#now + Math.max(1, words / WORDS_A_MINUTE) * MINUTE, async () => {
      const { scores, verdict, comment } = judge(this.#o.settings, this.numberOf(item.version), member.n, item.criteria.includes('grounded'));
      const given = Object.fromEntries(Object.entries(scores).filter(([, score]) => score !== null));
      // Once in a while somebody calls the moderators to a record, which then becomes a gold item.
      const flags = this.#random.next() < 0.004 ? ['personal_data'] : [];
      const said = flags.length > 0 && comment === '' ? { verdict: 'fix', comment: 'This could be somebody.' } : { verdict, comment };
      const reply = await this.#ask(member, 'POST', `/api/reviews/${item.review_id}/submit`, { scores: given, ...said, flags }, 'POST /api/reviews/{id}/submit');
      member.reviewing = false;
      if (reply.status !== 200) return another();
      this.#o.acknowledged.reviews.set(item.review_id, { login: `person${member.n}`, verdict: said.verdict });
      this.#reviews++;
    });
  }

  async #withdraw(submission: number): Promise<void> {
    const record = this.#records.get(submission);
    if (!record) return;
    const reply = await this.#ask(this.#people[record.n]!, 'POST', `/api/records/${record.id}/withdraw`, undefined, 'POST /api/records/{id}/withdraw');
    if (reply.status === 200) this.#o.acknowledged.withdrawn.add(record.id);
  }

  /** Each moderator decides what the others do not look at. */
  async #moderate(): Promise<void> {
    const { moderators, settings, acknowledged } = this.#o;
    for (const member of this.#people.slice(0, moderators)) {
      if (!member.joined) continue;
      const { status, body } = await this.#ask(member, 'GET', '/api/decisions');
      if (status !== 200) continue;
      for (const { record_id } of (body.records as { record_id: string }[]).slice(0, 20)) {
        const seen = await this.#ask(member, 'GET', `/api/decisions/${record_id}`, undefined, 'GET /api/decisions/{id}');
        if (seen.status !== 200) continue;
        const version = seen.body.record.versions.at(-1) as RecordText;
        const { scores, verdict } = judge(settings, this.numberOf(version), -1, version.context !== '');
        const correct = scores.correct ?? 1;
        const quality = verdict === 'accept' ? Math.max(3, correct) : Math.min(2, correct);
        const reply = await this.#ask(member, 'POST', `/api/decisions/${record_id}`, { verdict, quality, rationale: 'Decided by the guideline.' }, 'POST /api/decisions/{id}');
        if (reply.status === 200) acknowledged.decisions.set(record_id, { verdict });
      }
    }
  }

  async #ask(member: Member, method: string, path: string, body?: unknown, route?: string): Promise<Reply> {
    const reply = await member.caller.ask(method, path, body, route);
    if (reply.status === 200) return reply;
    const code = codeOf(reply);
    if (code === 'signed_out') {
      // A week without a word ends a session.
      await signIn(member.caller, member.n);
      return this.#ask(member, method, path, body, route);
    }
    if (reply.status >= 500 || reply.status === 0) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    this.refused.set(`${route ?? `${method} ${path}`} ${code}`, (this.refused.get(`${route ?? `${method} ${path}`} ${code}`) ?? 0) + 1);
    return reply;
  }

  #free(member: Member): void {
    member.writing = false;
    member.waiting.shift()?.();
  }

  /** Somebody who is here already. */
  #anybody(): Member {
    for (let left = 200; left > 0; left--) {
      const member = this.#people[Math.floor(this.#random.next() * this.#people.length)]!;
      if (member.joined) return member;
    }
    return this.#people.find(({ joined }) => joined)!;
  }

  #at(at: number, run: () => Promise<void>): void {
    const heap = this.#heap;
    let i = heap.push({ at, order: this.#order++, run }) - 1;
    while (i > 0 && before(heap[i]!, heap[(i - 1) >> 1]!)) {
      const parent = (i - 1) >> 1;
      [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
      i = parent;
    }
  }

  #pop(): Deed {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    heap[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      if (least === i) return top;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }
}

const before = (a: Deed, b: Deed): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

const keyOf = ({ instruction, response }: Pick<RecordText, 'instruction' | 'response'>): string => `${instruction}\n${response}`;

export async function eachAtMost<T>(most: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, async () => {
    while (next < items.length) await work(items[next++]!);
  }));
}

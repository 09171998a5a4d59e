/**
 * Keeps one draft while it is written: on the device 400 ms after the last key, on the server every three seconds, by
 * compare-and-swap on the server's revision. Knows nothing of React and of the network: both are given, so that crash,
 * offline and second tab can be tried in a test.
 *
 * Nothing is ever overwritten unasked: when the server holds what this tab has not seen, both texts are offered.
 */
import type { LocalDraft, LocalDrafts } from './local.ts';

export const LOCAL_AFTER_MS = 400;
export const SERVER_AFTER_MS = 3000;
const RETRY_FIRST_MS = 2000;
const RETRY_MOST_MS = 30_000;

/** What came of a save on the server. */
export type SaveAnswer<B> =
  | { readonly kind: 'saved'; readonly revision: number; readonly at: number }
  /** The server holds another text than the one that this tab began from. */
  | { readonly kind: 'conflict'; readonly revision: number; readonly theirs: B; readonly at: number }
  /** No answer: the network, or a server that is being restarted. */
  | { readonly kind: 'offline' }
  /** Who writes is not signed in any more; the text stays here until they are. */
  | { readonly kind: 'signed-out' }
  /** The draft is no longer open: handed in or thrown away, here or elsewhere. */
  | { readonly kind: 'gone' };

export type SaveStatus = 'saved' | 'unsaved' | 'saving' | 'offline' | 'signed-out' | 'conflict' | 'gone';

export interface SaverState<B> {
  readonly body: B;
  readonly revision: number;
  readonly status: SaveStatus;
  /** When the server last acknowledged it: milliseconds since 1970. */
  readonly savedAt: number;
  /** Whether the device could keep it: false in browsers that refuse a database. */
  readonly onDevice: boolean;
  readonly conflict?: { readonly theirs: B; readonly revision: number; readonly at: number };
}

/** The draft as the server gave it. */
export interface ServerDraft<B> {
  readonly id: string;
  readonly body: B;
  readonly revision: number;
  readonly savedAt: number;
}

export interface SaverOptions<B> {
  readonly userId: string;
  readonly draft: ServerDraft<B>;
  readonly local: LocalDrafts;
  readonly same: (a: B, b: B) => boolean;
  readonly save: (body: B, revision: number, leaving: boolean) => Promise<SaveAnswer<B>>;
  /** Words to and from other tabs of this browser on the same draft. */
  readonly channel?: { post(message: TabMessage<B>): void; onMessage: (listener: (message: TabMessage<B>) => void) => () => void };
  readonly now?: () => number;
}

export type TabMessage<B> = { readonly kind: 'saved'; readonly body: B; readonly revision: number; readonly at: number } | { readonly kind: 'gone' };

export class DraftSaver<B> {
  #state: SaverState<B>;
  readonly #options: SaverOptions<B>;
  readonly #listeners = new Set<() => void>();
  #localTimer: ReturnType<typeof setTimeout> | undefined;
  #serverTimer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_FIRST_MS;
  #saving: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  #finished = false;
  #unlisten: (() => void) | undefined;

  constructor(options: SaverOptions<B>) {
    this.#options = options;
    const { body, revision, savedAt } = options.draft;
    this.#state = { body, revision, savedAt, status: 'saved', onDevice: true };
  }

  get state(): SaverState<B> {
    return this.#state;
  }

  /** Brings back what this device kept and the server does not have. Call once, before the first edit. */
  async open(): Promise<void> {
    const { userId, draft, local, same, channel } = this.#options;
    this.#unlisten = channel?.onMessage((message) => this.#heard(message));
    let kept: LocalDraft | undefined;
    try {
      kept = await local.get(userId, draft.id);
    } catch {
      this.#set({ onDevice: false });
    }
    if (!kept?.dirty || this.#closed) return;
    const body = kept.body as B;
    if (same(body, draft.body)) return;
    // Begun from what the server still has: simply go on. Otherwise somebody saved in between: show both.
    if (kept.revision === draft.revision) this.#set({ body, status: 'unsaved' });
    else this.#set({ body, status: 'conflict', conflict: { theirs: draft.body, revision: draft.revision, at: draft.savedAt } });
    if (this.#state.status === 'unsaved') this.#serverIn(0);
  }

  /** What the form holds now. */
  edit(body: B): void {
    if (this.#closed || this.#options.same(body, this.#state.body)) return;
    const status = this.#state.status;
    this.#set({ body, status: status === 'saved' || status === 'saving' ? 'unsaved' : status });
    clearTimeout(this.#localTimer);
    this.#localTimer = setTimeout(() => void this.keepOnDevice(), LOCAL_AFTER_MS);
    if (status !== 'conflict' && status !== 'gone' && status !== 'signed-out') this.#serverIn(SERVER_AFTER_MS);
  }

  /** Writes to the device now. Writes are one after the other, so that an older text never lands last. */
  async keepOnDevice(): Promise<void> {
    clearTimeout(this.#localTimer);
    this.#localTimer = undefined;
    const { userId, draft, local, now = Date.now } = this.#options;
    const { body, revision, status } = this.#state;
    const row = { userId, draftId: draft.id, body, revision, dirty: status !== 'saved', at: now() };
    this.#writing = this.#writing.then(async () => {
      if (this.#finished) return;
      try {
        await local.put(row);
        if (!this.#state.onDevice) this.#set({ onDevice: true });
      } catch {
        if (this.#state.onDevice) this.#set({ onDevice: false });
      }
    });
    await this.#writing;
  }

  /** Saves on the server now, if there is anything to save. Resolves when the server has answered. */
  async flush(): Promise<void> {
    clearTimeout(this.#serverTimer);
    this.#serverTimer = undefined;
    await this.keepOnDevice();
    if (this.#saving) await this.#saving;
    if (this.#needsSaving()) await this.#saveNow(false);
  }

  /** The page is going away: no time to wait for anything. */
  leave(): void {
    if (this.#closed) return;
    void this.keepOnDevice();
    if (this.#needsSaving()) void this.#options.save(this.#state.body, this.#state.revision, true).catch(() => undefined);
  }

  /** Tries again at once: the network is back, or the person has signed in again. */
  retry(): void {
    if (this.#state.status === 'signed-out') this.#set({ status: 'unsaved' });
    if (this.#needsSaving()) this.#serverIn(0);
  }

  /** Ends a conflict: with one's own text on top of theirs, or with theirs. */
  resolve(choice: 'mine' | 'theirs'): void {
    const { conflict, body } = this.#state;
    if (!conflict) return;
    const { conflict: _, ...rest } = this.#state;
    if (choice === 'mine') {
      this.#replace({ ...rest, body, revision: conflict.revision, status: 'unsaved' });
      this.#serverIn(0);
    } else {
      this.#replace({ ...rest, body: conflict.theirs, revision: conflict.revision, status: 'saved', savedAt: conflict.at });
    }
    void this.keepOnDevice();
  }

  /** The text was handed in or thrown away: forget it here, and tell the other tabs. */
  async finish(): Promise<void> {
    this.#finished = true;
    this.close();
    await this.#writing;
    this.#options.channel?.post({ kind: 'gone' });
    try {
      await this.#options.local.remove(this.#options.userId, this.#options.draft.id);
    } catch {
      // Nothing was kept, then.
    }
  }

  /** Stops all timers. What is on the device stays. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#localTimer);
    clearTimeout(this.#serverTimer);
    this.#unlisten?.();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #needsSaving(): boolean {
    return !this.#closed && (this.#state.status === 'unsaved' || this.#state.status === 'offline');
  }

  /** Asks for a save within this time; an earlier one that is already planned stands, so that steady typing is saved too. */
  #serverIn(ms: number): void {
    if (ms === 0) clearTimeout(this.#serverTimer);
    else if (this.#serverTimer !== undefined) return;
    this.#serverTimer = setTimeout(() => {
      this.#serverTimer = undefined;
      if (this.#needsSaving() && !this.#saving) void this.#saveNow(false);
    }, ms);
  }

  #saveNow(leaving: boolean): Promise<void> {
    const saving = this.#save(leaving).finally(() => {
      if (this.#saving === saving) this.#saving = undefined;
      if (this.#state.status === 'unsaved') this.#serverIn(SERVER_AFTER_MS);
    });
    this.#saving = saving;
    return saving;
  }

  async #save(leaving: boolean): Promise<void> {
    const { same, save, channel } = this.#options;
    const { body, revision } = this.#state;
    this.#set({ status: 'saving' });
    let answer: SaveAnswer<B>;
    try {
      answer = await save(body, revision, leaving);
    } catch {
      answer = { kind: 'offline' };
    }
    if (this.#closed) return;
    const unchanged = same(body, this.#state.body);
    switch (answer.kind) {
      case 'saved':
        this.#retryMs = RETRY_FIRST_MS;
        this.#set({ revision: answer.revision, savedAt: answer.at, status: unchanged ? 'saved' : 'unsaved' });
        channel?.post({ kind: 'saved', body, revision: answer.revision, at: answer.at });
        break;
      case 'conflict':
        // The same words saved by another tab, or an answer that was lost on its way: no reason to ask anyone.
        if (same(answer.theirs, this.#state.body)) this.#set({ revision: answer.revision, savedAt: answer.at, status: 'saved' });
        else this.#set({ status: 'conflict', conflict: { theirs: answer.theirs, revision: answer.revision, at: answer.at } });
        break;
      case 'offline':
        this.#set({ status: 'offline' });
        this.#serverIn(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
        break;
      case 'signed-out':
      case 'gone':
        this.#set({ status: answer.kind });
        break;
    }
    await this.keepOnDevice();
  }

  /** Another tab saved: follow it if nothing was typed here since; otherwise the next save here will show both. */
  #heard(message: TabMessage<B>): void {
    if (this.#closed) return;
    if (message.kind === 'gone') this.#set({ status: 'gone' });
    else if (this.#state.status === 'saved' && message.revision > this.#state.revision) this.#set({ body: message.body, revision: message.revision, savedAt: message.at });
  }

  #set(change: Partial<SaverState<B>>): void {
    this.#replace({ ...this.#state, ...change });
  }

  #replace(state: SaverState<B>): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

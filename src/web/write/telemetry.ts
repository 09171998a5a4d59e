/** Neutral facts about how a text came to be: shown to its author and to reviewers, never a verdict. */
import { useRef } from 'react';

/** A pause longer than this is no work. Milliseconds. */
const PAUSE_MS = 30_000;

export class WritingFacts {
  #typed = 0;
  #pasted = 0;
  #edits = 0;
  #activeMs = 0;
  #last: number | undefined;

  /** So many characters came with one input event at this time. */
  input(characters: number, pasted: boolean, now: number): void {
    this.#edits++;
    if (pasted) this.#pasted += characters;
    else this.#typed += characters;
    if (this.#last !== undefined) this.#activeMs += Math.min(PAUSE_MS, Math.max(0, now - this.#last));
    this.#last = now;
  }

  get facts(): { paste_share: number; active_ms: number; edits: number } {
    const all = this.#typed + this.#pasted;
    return { paste_share: all === 0 ? 0 : Math.round((1000 * this.#pasted) / all) / 1000, active_ms: Math.round(this.#activeMs), edits: this.#edits };
  }
}

export function useWritingFacts(): WritingFacts {
  const facts = useRef<WritingFacts>(undefined);
  return (facts.current ??= new WritingFacts());
}

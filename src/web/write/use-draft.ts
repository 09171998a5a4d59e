/** A draft and its saver inside a page: opened with it, saved when the page goes away, retried when the network is back. */
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { openTabChannel } from '../drafts/channel.ts';
import { openLocalDrafts, type LocalDrafts } from '../drafts/local.ts';
import { DraftSaver, type SaveAnswer, type SaverState, type ServerDraft } from '../drafts/saver.ts';

let device: LocalDrafts | undefined;
/** This device's drafts: one database for all pages. */
const localDrafts = (): LocalDrafts => (device ??= openLocalDrafts());

export function useDraft<B>(userId: string, draft: ServerDraft<B>, save: (body: B, revision: number, leaving: boolean) => Promise<SaveAnswer<B>>): readonly [SaverState<B>, DraftSaver<B>] {
  const { saver, channel } = useMemo(() => {
    const tabs = openTabChannel<B>(userId, draft.id);
    return { channel: tabs, saver: new DraftSaver<B>({ userId, draft, local: localDrafts(), same: sameBody, save, channel: tabs }) };
    // A draft keeps its saver while the page shows it: later answers of the server come through the saver itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [userId, draft.id]);

  useEffect(() => {
    void saver.open();
    const online = () => saver.retry();
    const leaving = () => {
      if (document.visibilityState === 'hidden') saver.leave();
    };
    window.addEventListener('online', online);
    document.addEventListener('visibilitychange', leaving);
    window.addEventListener('pagehide', leaving);
    return () => {
      window.removeEventListener('online', online);
      document.removeEventListener('visibilitychange', leaving);
      window.removeEventListener('pagehide', leaving);
      saver.leave();
      saver.close();
      channel.close();
    };
  }, [saver, channel]);

  const state = useSyncExternalStore(
    (listener) => saver.subscribe(listener),
    () => saver.state,
  );
  return [state, saver];
}

/** Bodies of drafts are plain values: equal if they are written alike. */
const sameBody = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a, keysInOrder) === JSON.stringify(b, keysInOrder);

function keysInOrder(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

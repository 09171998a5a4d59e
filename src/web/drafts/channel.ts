/** Tabs of one browser that have the same draft open talk to each other over a BroadcastChannel. */
import type { SaverOptions, TabMessage } from './saver.ts';

/** The channel of one draft; `close` it with the page. */
export function openTabChannel<B>(userId: string, draftId: string): NonNullable<SaverOptions<B>['channel']> & { close(): void } {
  const channel = new BroadcastChannel(`roslin/${userId}/${draftId}`);
  return {
    post: (message) => channel.postMessage(message),
    onMessage(listener) {
      const hear = ({ data }: MessageEvent<TabMessage<B>>) => listener(data);
      channel.addEventListener('message', hear);
      return () => channel.removeEventListener('message', hear);
    },
    close: () => channel.close(),
  };
}

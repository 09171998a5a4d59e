/** Where the pages begin: words first, then the router. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { ApiError, whenSignedOut } from './api/client.ts';
import { SESSION_KEY } from './app/session.tsx';
import { makeRouter } from './app/router.tsx';
import { ShortcutProvider } from './app/shortcuts.tsx';
import { loadWords, startI18n } from './i18n/index.ts';
import './style.css';
import { Toasts } from './ui/toast.tsx';

const client = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 10_000, retry: (failures, error) => failures < 2 && !(error instanceof ApiError) },
    mutations: { retry: false },
  },
});
whenSignedOut(() => void client.invalidateQueries({ queryKey: SESSION_KEY }));

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');
const router = makeRouter(client);

await startI18n();
createRoot(root).render(
  <QueryClientProvider client={client}>
    <ShortcutProvider>
      <Toasts>
        <RouterProvider router={router} />
      </Toasts>
    </ShortcutProvider>
  </QueryClientProvider>,
);

// What the next page will say, while this one is being read.
setTimeout(() => void loadWords('rest').catch(() => undefined), 1500);

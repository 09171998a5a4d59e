/** Who is here, and the campaign that they work in: one request, shared by all pages. */
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import type { Role, Session } from '../api/types.ts';

export const SESSION_KEY = ['session'] as const;

const fetchSession = () => call<Session>('GET', '/api/session');

export const loadSession = (client: QueryClient): Promise<Session> => client.ensureQueryData({ queryKey: SESSION_KEY, queryFn: fetchSession });

/** The session; there is always one, since the shell waits for it. */
export function useSession(): Session {
  const { data } = useQuery({ queryKey: SESSION_KEY, queryFn: fetchSession, staleTime: 30_000 });
  if (!data) throw new Error('a page was shown before its session was there');
  return data;
}

/** The person who is signed in. Pages inside the shell have one. */
export function usePerson(): NonNullable<Session['person']> {
  const { person } = useSession();
  if (!person) throw new Error('a page for people who are signed in was shown to someone who is not');
  return person;
}

/** Fetches the session anew: after signing in or out, or when counts have changed. */
export function useRefreshSession(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: SESSION_KEY });
}

export const hasRole = (roles: readonly Role[] | undefined, ...wanted: readonly Role[]): boolean => roles?.some((role) => role === 'owner' || wanted.includes(role)) ?? false;

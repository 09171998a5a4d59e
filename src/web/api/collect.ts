/** Requests of those who write. */
import { queryOptions } from '@tanstack/react-query';
import type { SaveAnswer } from '../drafts/saver.ts';
import { ApiError, call, OfflineError, oneLine } from './client.ts';
import type { BoardView, CategoryKey, CheckFinding, DraftView, HomeView, LiveView, OwnPoints, Passage, QuestionInput, QuestionsView, RecordBody, RecordRow, RecordView, ReportInput, SubmitInput, Submitted } from './types.ts';

export const homeQuery = () => queryOptions({ queryKey: ['home'], queryFn: () => call<HomeView>('GET', '/api/home') });
export const draftQuery = (id: string) => queryOptions({ queryKey: ['draft', id], queryFn: () => call<DraftView>('GET', `/api/drafts/${id}`), staleTime: 0, gcTime: 0, refetchOnWindowFocus: false });

export const claimTask = (category: CategoryKey, kind: 'author' | 'answer', language?: string) => call<{ draft_id: string }>('POST', '/api/tasks/claim', { body: { category, kind, language } });

/** Saves a draft by compare-and-swap: what came of it, as the saver wants to know. */
export async function saveDraft(id: string, body: RecordBody, revision: number, leaving: boolean): Promise<SaveAnswer<RecordBody>> {
  try {
    const saved = await call<{ revision: number; saved_at: string }>('PUT', `/api/drafts/${id}`, { body: { body, revision, device: deviceName() }, keepalive: leaving });
    return { kind: 'saved', revision: saved.revision, at: Date.parse(saved.saved_at) };
  } catch (error) {
    if (error instanceof OfflineError) return { kind: 'offline' };
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) return { kind: 'signed-out' };
    if (error.status === 404 || error.status === 410) return { kind: 'gone' };
    if (error.status === 409) {
      const { draft } = error.body as { draft: { body: RecordBody; revision: number; saved_at: string } };
      return { kind: 'conflict', revision: draft.revision, theirs: draft.body, at: Date.parse(draft.saved_at) };
    }
    // Too many requests, or a server in trouble: the text is on the device, and we come again.
    return { kind: 'offline' };
  }
}

/** What a conflict calls this device: the browser's family, no more. */
function deviceName(): string {
  const family = /Firefox|Edg|Chrome|Safari/.exec(navigator.userAgent)?.[0] ?? 'browser';
  return /Mobi/.test(navigator.userAgent) ? `${family}, phone` : family;
}

export const checkDraft = (id: string, body: RecordBody, signal: AbortSignal) => call<{ findings: readonly CheckFinding[] }>('POST', `/api/drafts/${id}/check`, { body: { body }, signal });
export const extendLease = (id: string) => call<{ expires_at: string }>('POST', `/api/leases/${id}/extend`);
export const releaseTask = (draftId: string, reason: string) => call<unknown>('POST', `/api/drafts/${draftId}/release`, { body: { reason } });

export const submitDraft = (input: SubmitInput) => call<Submitted>('POST', '/api/records', { body: input });
export const undoSubmit = (recordId: string) => call<{ draft_id: string }>('POST', `/api/records/${recordId}/undo`);

export const recordsQuery = () => queryOptions({ queryKey: ['records'], queryFn: () => call<{ records: readonly RecordRow[] }>('GET', '/api/records') });
export const recordQuery = (id: string) => queryOptions({ queryKey: ['record', id], queryFn: () => call<RecordView>('GET', `/api/records/${id}`) });
export const reviseRecord = (id: string) => call<{ draft_id: string }>('POST', `/api/records/${id}/revise`);
export const appealRecord = (id: string, reason: string) => call<unknown>('POST', `/api/records/${id}/appeal`, { body: { reason: oneLine(reason) } });
export const withdrawRecord = (id: string) => call<unknown>('POST', `/api/records/${id}/withdraw`);

export const pointsQuery = () => queryOptions({ queryKey: ['points'], queryFn: () => call<OwnPoints>('GET', '/api/points') });
export const questionsQuery = () => queryOptions({ queryKey: ['questions'], queryFn: () => call<QuestionsView>('GET', '/api/questions') });
export const askQuestion = (question: QuestionInput) => call<{ id: string }>('POST', '/api/questions', { body: question });
export const questionPassage = (category: CategoryKey, language: string) => call<{ passage: Passage }>('POST', '/api/questions/passage', { body: { category, language } });
export const dropQuestion = (id: string) => call<unknown>('DELETE', `/api/questions/${id}`);
export const report = (input: ReportInput) => call<unknown>('POST', '/api/reports', { body: { ...input, reason: oneLine(input.reason) } });

export const boardQuery = (period: 'day' | 'all') => queryOptions({ queryKey: ['board', period], queryFn: () => call<BoardView>('GET', '/api/board', { query: { period } }) });
export const liveQuery = (token: string) => queryOptions({ queryKey: ['live', token], queryFn: () => call<LiveView>('POST', '/api/live', { body: { token } }), refetchInterval: 30_000 });

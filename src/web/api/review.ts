/** Requests of those who review and decide. */
import { queryOptions } from '@tanstack/react-query';
import { call, oneLine } from './client.ts';
import type { AuditItem, DecisionRow, DecisionView, ReviewInput, ReviewItem, Verdict } from './types.ts';

export const reviewQuery = () => queryOptions({ queryKey: ['review'], queryFn: () => call<{ item: ReviewItem | null }>('POST', '/api/reviews/next'), staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false });
export const submitReview = (id: string, input: ReviewInput) => call<unknown>('POST', `/api/reviews/${id}/submit`, { body: input });
export const skipReview = (id: string, reason: string) => call<unknown>('POST', `/api/reviews/${id}/skip`, { body: { reason } });

export const decisionsQuery = () => queryOptions({ queryKey: ['decisions'], queryFn: () => call<{ records: readonly DecisionRow[] }>('GET', '/api/decisions') });
export const decisionQuery = (id: string) => queryOptions({ queryKey: ['decision', id], queryFn: () => call<DecisionView>('GET', `/api/decisions/${id}`) });
export const decide = (id: string, input: { verdict: Verdict; quality: number; rationale: string }) => call<unknown>('POST', `/api/decisions/${id}`, { body: { ...input, rationale: oneLine(input.rationale) } });

export const auditQuery = () => queryOptions({ queryKey: ['audit'], queryFn: () => call<{ left: number; item: AuditItem | null }>('POST', '/api/audit/next'), staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false });
export const voteAudit = (recordId: string, vote: 'pass' | 'fail', reason: string) => call<unknown>('POST', `/api/audit/${recordId}`, { body: { vote, reason } });

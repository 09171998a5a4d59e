/** Requests of organisers. */
import { queryOptions } from '@tanstack/react-query';
import type { CampaignEvent } from '../../collect/rules/campaign.ts';
import { call, oneLine } from './client.ts';
import type { AwardRow, CampaignDraft, CampaignView, DatasetRow, Guideline, HealthRow, InvitationRow, LogRow, PassageInput, PassageRow, PersonRow, ProgressView, QualityView, ReportCase, ReportRow, ReportSettlement, Role, RosterAnswer } from './types.ts';

const get = <T>(key: string, path: string) => queryOptions({ queryKey: ['manage', key], queryFn: () => call<T>('GET', path) });

export const campaignQuery = () => get<CampaignView>('campaign', '/api/manage/campaign');
export const createCampaign = (draft: CampaignDraft) => call<unknown>('POST', '/api/manage/campaigns', { body: draft });
export const changeCampaign = (change: Partial<CampaignDraft>) => call<unknown>('PATCH', '/api/manage/campaign', { body: change });
export const moveCampaign = (event: CampaignEvent) => call<unknown>('POST', '/api/manage/campaign/moves', { body: { event } });

export const progressQuery = () => get<ProgressView>('progress', '/api/manage/progress');
export const qualityQuery = () => get<QualityView>('quality', '/api/manage/quality');

export const peopleQuery = () => get<{ people: readonly PersonRow[] }>('people', '/api/manage/people');
export const changePerson = (id: string, change: { roles?: readonly Role[]; team?: string | null; status?: 'active' | 'suspended'; stopped?: false }) => call<unknown>('PATCH', `/api/manage/people/${id}`, { body: change });
export const invitationsQuery = () => get<{ invitations: readonly InvitationRow[] }>('invitations', '/api/manage/invitations');
export const invite = (input: { roles: readonly Role[]; email?: string | undefined; team?: string | undefined }) => call<{ link: string; mailed: boolean }>('POST', '/api/manage/invitations', { body: input });
export const revokeInvitation = (id: string) => call<unknown>('DELETE', `/api/manage/invitations/${id}`);
export const sendRoster = (csv: string) => call<RosterAnswer>('POST', '/api/manage/roster', { body: { csv } });

export const passagesQuery = () => get<{ passages: readonly PassageRow[] }>('passages', '/api/manage/passages');
export const addPassage = (input: PassageInput) => call<unknown>('POST', '/api/manage/passages', { body: input });
export const movePassage = (id: string, event: 'verify' | 'block' | 'reopen') => call<unknown>('POST', `/api/manage/passages/${id}/moves`, { body: { event } });

export const guidelineAdminQuery = (category: string, locale: string) => get<Guideline>(`guideline/${category}/${locale}`, `/api/manage/guidelines/${category}/${locale}`);
export const saveGuideline = (category: string, locale: string, body: Omit<Guideline, 'version'>) => call<{ version: number }>('PUT', `/api/manage/guidelines/${category}/${locale}`, { body: { ...body, summary: oneLine(body.summary) } });

export const awardsQuery = () => get<{ awards: readonly AwardRow[] }>('awards', '/api/manage/awards');
export const moveAward = (id: string, event: 'audit' | 'confirm' | 'deliver' | 'forfeit', reason: string) => call<unknown>('POST', `/api/manage/awards/${id}/moves`, { body: { event, reason } });
export const reportsQuery = () => get<{ reports: readonly ReportRow[] }>('reports', '/api/manage/reports');
export const reportCaseQuery = (id: string) => get<ReportCase>(`report/${id}`, `/api/manage/reports/${id}`);
export const settleReport = (id: string, settlement: ReportSettlement) => call<unknown>('POST', `/api/manage/reports/${id}`, { body: settlement });

export const logQuery = (before?: number) => queryOptions({ queryKey: ['manage', 'log', before ?? 0], queryFn: () => call<{ events: readonly LogRow[]; more: boolean }>('GET', '/api/manage/log', { query: { before } }) });
export const verifyLogs = () => call<{ events: { ok: boolean; at: number | null }; ledger: { ok: boolean; at: number | null } }>('POST', '/api/manage/log/verify');
export const datasetsQuery = () => get<{ datasets: readonly DatasetRow[]; acceptable: number }>('datasets', '/api/manage/datasets');
export const sealDataset = () => call<DatasetRow>('POST', '/api/manage/datasets');
export const healthQuery = () => get<{ checks: readonly HealthRow[]; mail: boolean }>('health', '/api/manage/health');
export const liveLink = () => call<{ link: string }>('POST', '/api/manage/live-link');

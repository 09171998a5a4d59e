/** Reports as CSV and JSON. A cell that a spreadsheet would take for a formula is quoted (OWASP, CSV injection). */
import type { Context } from '../../collect/context.ts';
import { requireCampaign } from '../../collect/campaigns/current.ts';
import { listPeople, progressView } from '../../collect/campaigns/progress.ts';
import { entriesOf } from '../../collect/points/ledger.ts';

export type ReportName = 'records' | 'people' | 'points' | 'progress';
type Row = Readonly<Record<string, string | number | null>>;

/** No record's text: that is the dataset's. No login or address beside a name. */
export async function reportRows(context: Context, name: ReportName): Promise<Row[]> {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  switch (name) {
    case 'records': {
      const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).select(['s.id', 's.category', 's.state', 's.version', 's.round', 's.quality', 's.split', 'v.language', 'v.content_hash', 's.created_at', 's.decided_at']).where('s.campaign_id', '=', campaign.id).where('s.undone', '=', false).orderBy('s.id').execute();
      return rows.map(({ created_at, decided_at, ...row }) => ({ ...row, created_at: created_at.toISOString(), decided_at: decided_at?.toISOString() ?? null }));
    }
    case 'people':
      return (await listPeople(context)).map(({ id, name: who, team, roles, status, accepted, joined_at }) => ({ id, name: who, team, roles: roles.join(' '), status, accepted, joined_at }));
    case 'points':
      return (await entriesOf(db, campaign.id)).map(({ seq, user_id, kind, subject, rules_version, delta_mp, reverses, work_day }) => ({ seq, user_id, kind, subject, rules_version, delta_mp, reverses, work_day }));
    case 'progress':
      return (await progressView(context)).categories.map((row) => ({ ...row }));
  }
}

/** A leading =, +, -, @, tab or carriage return makes a formula; numbers of ours stay numbers. */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r;\t']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsv(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  return [columns.join(','), ...rows.map((row) => columns.map((column) => csvCell(row[column] ?? null)).join(','))].map((line) => `${line}\r\n`).join('');
}

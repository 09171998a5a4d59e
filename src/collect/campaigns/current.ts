/** The campaign that the studio shows: the newest one. An older one stays readable in reports and datasets. */
import type { Db, Tx } from '../../store/store.ts';
import type { CampaignsTable } from '../../store/tables.ts';
import type { Selectable } from 'kysely';
import { Refusal } from '../refusal.ts';
import { FIRST_RULES, POINTS_RULES, type PointsRules } from '../rules/points-rules.ts';

export interface CampaignPolicy {
  readonly reviews: 1 | 2 | 3;
  readonly personal_data: 'warn' | 'block';
  /** Hour of the day's board, in the campaign's time zone. */
  readonly board_hour: number;
}

export type Prizes = readonly { readonly from: number; readonly to: number; readonly text: string }[];

export type Campaign = Omit<Selectable<CampaignsTable>, 'policy' | 'prizes'> & { readonly policy: CampaignPolicy; readonly prizes: Prizes; readonly points: PointsRules };

const rulesOf = (version: string): PointsRules => POINTS_RULES.find((rules) => rules.version === version) ?? FIRST_RULES;

function campaignOf(row: Selectable<CampaignsTable>): Campaign {
  return { ...row, policy: row.policy as CampaignPolicy, prizes: row.prizes as Prizes, points: rulesOf(row.rules_version) };
}

export async function currentCampaign(db: Db | Tx): Promise<Campaign | undefined> {
  const row = await db.selectFrom('campaigns').selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst();
  return row && campaignOf(row);
}

/** Throws Refusal where there is none. */
export async function requireCampaign(db: Db | Tx): Promise<Campaign> {
  const found = await currentCampaign(db);
  if (!found) throw new Refusal('no_campaign', 'There is no campaign yet.');
  return found;
}

export async function campaignById(db: Db | Tx, id: string): Promise<Campaign> {
  return campaignOf(await db.selectFrom('campaigns').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
}

/** The same row, which nobody moves to another state until the transaction ends; others may hold it so at once. */
export async function holdCampaign(tx: Tx, id: string): Promise<Campaign> {
  return campaignOf(await tx.selectFrom('campaigns').selectAll().where('id', '=', id).forShare().executeTakeFirstOrThrow());
}

/** What was acknowledged against what is there; points against the records and reviews that they are for; boards worked out again by the database itself. Each fault is a sentence. */
import type { Store } from '../../../src/store/store.ts';
import { auditFault } from '../../../src/store/audit.ts';
import { currentCampaign } from '../../../src/collect/campaigns/current.ts';
import { verifyLedger } from '../../../src/collect/points/ledger.ts';
import type { BoardRow } from '../../../src/collect/rules/boards.ts';
import type { EntryFactors } from '../../../src/collect/rules/ledger.ts';
import { recordPoints, reviewPay } from '../../../src/collect/rules/points.ts';
import { sameText } from '../../../src/collect/writing/drafts.ts';
import type { RecordText } from '../../../src/collect/rules/forms.ts';
import type { Acknowledged } from './acknowledged.ts';

export interface Truth {
  readonly faults: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

export async function truthOf(store: Store, acknowledged: Acknowledged): Promise<Truth> {
  const faults = [...(await lostWrites(store, acknowledged)), ...(await chainFaults(store)), ...(await pointFaults(store))];
  const boards = await boardFaults(store);
  const { rows: [counted] } = await store.pool.query<Record<string, number>>(`select (select count(*) from users) as people, (select count(*) from submissions where not undone) as submissions, (select count(*) from submissions where state = 'accepted') as accepted,
    (select count(*) from reviews where submitted_at is not null) as reviews, (select count(*) from ledger_entries) as ledger_entries, (select count(*) from events) as events, (select coalesce(sum(delta_mp), 0) from ledger_entries) as ledger_mp, (select count(*) from board_snapshots) as boards, (select count(*) from golds) as golds`);
  return { faults: [...faults, ...boards], counts: Object.fromEntries(Object.entries(counted!).map(([name, n]) => [name, Number(n)])) };
}

/** Every answer of 200 has its row, and each key made one record. */
export async function lostWrites({ db }: Store, acknowledged: Acknowledged): Promise<string[]> {
  const faults: string[] = [];
  const logins = new Map((await db.selectFrom('users').select(['id', 'login']).execute()).map(({ id, login }) => [id, login]));
  const known = new Set(logins.values());
  for (const login of acknowledged.accounts) if (!known.has(login)) faults.push(`the account ${login} is not there`);
  const records = new Map((await db.selectFrom('submissions').select(['id', 'author_id', 'idempotency_key', 'state', 'undone']).execute()).map((row) => [row.id, row]));
  const texts = new Map((await db.selectFrom('submission_versions').select(['submission_id', 'instruction', 'context', 'response']).where('version', '=', 1).execute()).map(({ submission_id, ...text }) => [submission_id, text]));
  for (const [id, { login, key, text }] of acknowledged.submissions) {
    const row = records.get(id);
    if (!row || row.undone || logins.get(row.author_id) !== login || row.idempotency_key !== key) faults.push(`the record ${id} of ${login} is not there as it was acknowledged`);
    else if (!sameText(texts.get(id)!, text)) faults.push(`the record ${id} has another text`);
  }
  const byKey = Map.groupBy(records.values(), (row) => `${row.author_id} ${row.idempotency_key}`);
  const drafts = Map.groupBy([...records.values()].filter(({ undone }) => !undone), ({ idempotency_key }) => idempotency_key.slice(0, 36));
  for (const rows of [...byKey.values(), ...drafts.values()]) if (rows.length > 1) faults.push(`one draft was handed in as ${rows.length} records: ${rows.map(({ id }) => id).join(', ')}`);
  const reviews = new Map((await db.selectFrom('reviews').select(['id', 'reviewer_id', 'verdict', 'submitted_at']).execute()).map((row) => [row.id, row]));
  for (const [id, { login, verdict }] of acknowledged.reviews) {
    const row = reviews.get(id);
    if (!row || row.submitted_at === null || row.verdict !== verdict || logins.get(row.reviewer_id) !== login) faults.push(`the review ${id} of ${login} is not there as it was acknowledged`);
  }
  const decided = new Map((await db.selectFrom('adjudications').select(['submission_id', 'verdict']).orderBy('at').execute()).map((row) => [row.submission_id, row.verdict]));
  for (const [id, { verdict }] of acknowledged.decisions) if (decided.get(id) !== verdict) faults.push(`the decision about ${id} is not there`);
  for (const id of acknowledged.withdrawn) if (records.get(id)?.state !== 'withdrawn') faults.push(`${id} was withdrawn and is ${records.get(id)?.state ?? 'not there'}`);
  const kept = new Map((await db.selectFrom('drafts').select(['id', 'revision', 'body', 'state']).execute()).map((row) => [row.id, row]));
  for (const [id, draft] of acknowledged.drafts) {
    const row = kept.get(id);
    if (!row) faults.push(`the draft ${id} is not there`);
    else if (draft.closed || row.state !== 'open') continue;
    else if (row.revision < draft.revision) faults.push(`the draft ${id} is at ${row.revision}, ${draft.revision} was acknowledged`);
    else if (!sameText(row.body as RecordText, draft.body) && !(draft.sent && row.revision > draft.revision && sameText(row.body as RecordText, draft.sent))) faults.push(`the draft ${id} has another text than was acknowledged`);
  }
  return faults;
}

export async function chainFaults({ db }: Store): Promise<string[]> {
  const campaign = (await currentCampaign(db))!;
  const [audit, ledger] = [await auditFault(db), await verifyLedger(db, campaign)];
  return [...(audit === undefined ? [] : [`audit log: ${audit}`]), ...(ledger === undefined ? [] : [`ledger: ${ledger.fault}`])];
}

/** Accepted records have points once, as their own facts give them; nothing else has any. */
export async function pointFaults({ db }: Store): Promise<string[]> {
  const faults: string[] = [];
  const campaign = (await currentCampaign(db))!;
  const entries = await db.selectFrom('ledger_entries').selectAll().where('campaign_id', '=', campaign.id).orderBy('seq').execute();
  const reversed = new Set(entries.map(({ reverses }) => reverses));
  const live = Map.groupBy(entries.filter(({ seq, kind }) => !reversed.has(seq) && (kind === 'record' || kind === 'review')), ({ subject }) => subject);
  const days = new Map<string, Set<string>>();
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  for (const { kind, user_id, work_day, subject, factors, seq, reverses } of entries) {
    const known = (day: string) => days.get(`${user_id} ${day}`) ?? days.set(`${user_id} ${day}`, new Set()).get(`${user_id} ${day}`)!;
    if (kind === 'reversal' && bySeq.get(reverses!)!.kind === 'record') known(bySeq.get(reverses!)!.work_day).delete(subject);
    if (kind !== 'record') continue;
    const own = known(work_day);
    const { facts } = factors as EntryFactors & { kind: 'record' };
    if (facts.nth_of_day !== own.size + 1) faults.push(`entry ${seq} says it is number ${facts.nth_of_day} of the day, ${own.size + 1} by the ledger`);
    own.add(subject);
  }
  const records = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).select(['s.id', 's.state', 's.author_id', 's.quality', 's.weight', 's.category', 'v.similarity']).where('s.campaign_id', '=', campaign.id).execute();
  let sum = 0;
  for (const { id, state, author_id, quality, weight, category, similarity } of records) {
    const own = live.get(`submission:${id}`) ?? [];
    if (own.length !== (state === 'accepted' ? 1 : 0)) faults.push(`the record ${id} is ${state} and has ${own.length} entries`);
    for (const entry of own) {
      const { facts } = entry.factors as EntryFactors & { kind: 'record' };
      const points = recordPoints(campaign.points, facts).delta_mp;
      if (entry.user_id !== author_id || entry.delta_mp !== points || facts.quality !== quality || facts.weight !== weight || facts.category !== category || facts.similarity !== similarity) faults.push(`entry ${entry.seq} does not follow from the record ${id}`);
      sum += points;
    }
  }
  const reviews = await db.selectFrom('reviews').select(['id', 'state', 'valid', 'reviewer_id', 'dwell_ms', 'is_gold']).execute();
  for (const { id, state, valid, reviewer_id, dwell_ms, is_gold } of reviews) {
    const own = live.get(`review:${id}`) ?? [];
    if (own.length !== (state === 'submitted' && valid === true ? 1 : 0)) faults.push(`the review ${id} is ${state}, valid ${valid}, and has ${own.length} entries`);
    for (const entry of own) {
      const { facts } = entry.factors as EntryFactors & { kind: 'review' };
      if (entry.user_id !== reviewer_id || facts.dwell_ms !== dwell_ms || (facts.gold !== undefined) !== is_gold || entry.delta_mp !== reviewPay(campaign.points, facts).delta_mp) faults.push(`entry ${entry.seq} does not follow from the review ${id}`);
      sum += entry.delta_mp;
    }
  }
  const total = entries.filter(({ kind }) => kind === 'record' || kind === 'review' || kind === 'reversal').reduce((all, { delta_mp }) => all + delta_mp, 0);
  if (total !== sum) faults.push(`the ledger adds up to ${total}, its records and reviews to ${sum}`);
  return faults;
}

const BOARD = `
with e as (select * from ledger_entries where campaign_id = $1 and at <= $2),
sums as (
  select e.user_id, coalesce(sum(e.delta_mp) filter (where coalesce(o.kind, e.kind) <> 'review'), 0) as written, coalesce(sum(e.delta_mp) filter (where coalesce(o.kind, e.kind) = 'review'), 0) as reviewed
  from e left join e o on o.seq = e.reverses group by e.user_id),
records as (select user_id, count(*) as accepted, round(avg((factors->'facts'->>'quality')::numeric)) as quality from e where kind = 'record' and not exists (select 1 from e r where r.reverses = e.seq) group by user_id),
rows as (
  select user_id, written + least(reviewed, floor(greatest(0, written) * $3::numeric / (1000 - $3::numeric))) as points_mp, coalesce(accepted, 0) as accepted, coalesce(quality, 0) as quality
  from sums left join records using (user_id))
select user_id, rank() over (order by points_mp desc, quality desc)::int as rank, points_mp::bigint as points_mp, accepted::int as accepted, quality::int as quality from rows where points_mp > 0 order by points_mp desc, quality desc, user_id`;

/** Every board that was shown is what the ledger up to its cutoff gives. */
export async function boardFaults({ db, pool }: Store): Promise<string[]> {
  const campaign = (await currentCampaign(db))!;
  const faults: string[] = [];
  for (const { cutoff, rows } of await db.selectFrom('board_snapshots').select(['cutoff', 'rows']).where('campaign_id', '=', campaign.id).orderBy('cutoff').execute()) {
    const { rows: again } = await pool.query<BoardRow>(BOARD, [campaign.id, cutoff, campaign.points.review.share_max]);
    const shown = rows as BoardRow[];
    const line = ({ user_id, rank, points_mp, accepted, quality }: BoardRow) => `${user_id} ${rank} ${points_mp} ${accepted} ${quality}`;
    const at = again.findIndex((row, i) => shown[i] === undefined || line(row) !== line(shown[i]!));
    if (at >= 0 || again.length !== shown.length) faults.push(`the board of ${cutoff.toISOString()} has ${shown.length} rows, ${again.length} by the ledger; they differ from row ${at}`);
  }
  return faults;
}

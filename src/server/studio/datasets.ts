/** Accepted records become a sealed dataset with its documents, through the stage that makes datasets; downloads of what was sealed. */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST } from '../../artefacts/dataset.ts';
import { toDatasetRecord } from '../../artefacts/record-schema.ts';
import { sealInto } from '../../artefacts/seal.ts';
import type { Person } from '../../collect/accounts/sessions.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../../collect/campaigns/current.ts';
import { instantOf, type Context } from '../../collect/context.ts';
import { acceptedMembers } from '../../collect/dataset-records.ts';
import { chainOf } from '../../collect/points/ledger.ts';
import { closedFor, notFound, Refusal } from '../../collect/refusal.ts';
import { forbids, resultsStand } from '../../collect/rules/campaign.ts';
import { gatherFacts } from '../../dataset/card/facts.ts';
import { documentsOf } from '../../dataset/card/write.ts';
import { createFolderAtomic, writeFileAtomic } from '../../formats/atomic.ts';
import { audit } from '../../store/audit.ts';
import { chainHead } from '../../store/chain.ts';
import { lockName, type Tx } from '../../store/store.ts';
import type { DatasetRow } from '../contract.ts';

const SPLIT = { seed: 0, share: 0.1, groups: 'passage-or-content/1', strata: 'none' };

const folderOf = (workspace: string, slug: string, version: number): string => join(workspace, 'datasets', slug, String(version));

/**
 * Seals what is accepted now; while the campaign runs, as an interim version, after which the next one names it as its predecessor. The same
 * records give the same root: then the version that is there is answered.
 */
export async function sealDataset(context: Context, workspace: string, person: Person): Promise<DatasetRow> {
  return context.store.transaction(async (tx) => {
    const { id } = await requireCampaign(tx);
    const campaign = await holdCampaign(tx, id);
    const why = forbids(campaign.state, 'seal');
    if (why) throw closedFor(why);
    // One at a time: between the folder and its row nobody else looks for a free version.
    await lockName(tx, `seal ${id}`);
    return sealAccepted(tx, context, workspace, campaign, person);
  });
}

async function sealAccepted(tx: Tx, context: Context, workspace: string, campaign: Campaign, person: Person): Promise<DatasetRow> {
  const members = await acceptedMembers(tx, campaign);
  if (members.length === 0) throw new Refusal('nothing_accepted', 'No record is accepted yet.');
  const before = await tx.selectFrom('datasets').selectAll().where('campaign_id', '=', campaign.id).orderBy('version', 'desc').execute();
  let version = (before[0]?.version ?? 0) + 1;
  // A folder without a row: its seal was killed in between. It is in no list and stays as it is.
  while (existsSync(folderOf(workspace, campaign.slug, version))) version++;
  const of = (split: 'train' | 'held_out') => members.filter((member) => member.split === split).map(({ record, submission_id }) => toDatasetRecord(record, `record ${submission_id}`));
  const heldOut = of('held_out');
  const kept = new Set(members.map(({ submission_id }) => submission_id));
  const previous: { root: string; withdrawn: number }[] = [];
  for (const old of before) {
    const were = await tx.selectFrom('dataset_members').select('submission_id').where('campaign_id', '=', campaign.id).where('dataset_version', '=', old.version).execute();
    previous.push({ root: old.root, withdrawn: were.filter(({ submission_id }) => !kept.has(submission_id)).length });
  }
  const folder = folderOf(workspace, campaign.slug, version);
  const sealed = await createFolderAtomic(folder, async (temporary) => {
    const manifest = sealInto(temporary, { train: of('train'), ...(heldOut.length > 0 && { held_out: heldOut }) }, { name: campaign.slug, rejected: 0, sources: [], ...(heldOut.length > 0 && { split: SPLIT }) }, (root) => {
      const older = previous.filter((old) => old.root !== root);
      return older.length > 0 ? { previous: older } : {};
    });
    if (before[0]?.root === manifest.root) throw new SameRoot();
    const facts = gatherFacts(temporary, { title: campaign.title, description: campaign.purpose || undefined, creator: campaign.organisation || undefined, version: `${version}.0.0`, date: new Date(context.now()).toISOString().slice(0, 10) });
    for (const [name, content] of Object.entries(documentsOf(facts))) writeFileAtomic(join(temporary, name), content);
    return { manifest, licence: facts.licence };
  }).catch((error: unknown) => {
    if (error instanceof SameRoot) return undefined;
    throw error;
  });
  if (!sealed) {
    // Nothing was added or taken out since an interim seal: it is what the campaign has come to.
    const known = resultsStand(campaign.state) && before[0]!.interim ? await tx.updateTable('datasets').set({ interim: false }).where('campaign_id', '=', campaign.id).where('version', '=', before[0]!.version).returningAll().executeTakeFirstOrThrow() : before[0]!;
    return rowOf(workspace, campaign.slug, known);
  }
  try {
    const { hash } = await chainHead(tx, chainOf(campaign.id));
    const row = await tx.insertInto('datasets').values({
      campaign_id: campaign.id, version, root: sealed.manifest.root, records: members.length, train: members.length - heldOut.length, held_out: heldOut.length, licence: sealed.licence, ledger_hash: hash, interim: !resultsStand(campaign.state), created_by: person.id, at: instantOf(context),
    }).returningAll().executeTakeFirstOrThrow();
    for (let i = 0; i < members.length; i += 1000) {
      await tx.insertInto('dataset_members').values(members.slice(i, i + 1000).map(({ submission_id, version: n, content_hash }) => ({ campaign_id: campaign.id, dataset_version: version, submission_id, version: n, content_hash }))).execute();
    }
    await audit(tx, { actor: person.id, type: 'dataset.sealed', subject: `campaign:${campaign.id}`, payload: { version, root: sealed.manifest.root, records: members.length, interim: !resultsStand(campaign.state) } }, instantOf(context));
    return rowOf(workspace, campaign.slug, row);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

class SameRoot extends Error {}

interface DatasetFacts {
  readonly version: number;
  readonly state: 'sealed' | 'revoked';
  readonly interim: boolean;
  readonly records: number;
  readonly train: number;
  readonly held_out: number;
  readonly root: string;
  readonly licence: string;
  readonly at: Date;
}

function rowOf(workspace: string, slug: string, { version, state, interim, records, train, held_out, root, licence, at }: DatasetFacts): DatasetRow {
  const folder = folderOf(workspace, slug, version);
  const files = existsSync(join(folder, MANIFEST)) ? readdirSync(folder).sort() : [];
  return { version: String(version), state, interim, records, train, held_out, root, licence, at: at.toISOString(), files: files.map((name) => ({ name, href: `/api/manage/datasets/${version}/${name}` })) };
}

export async function listDatasets(context: Context, workspace: string): Promise<{ datasets: DatasetRow[]; acceptable: number }> {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('datasets').selectAll().where('campaign_id', '=', campaign.id).orderBy('version', 'desc').execute();
  const { n } = await db.selectFrom('submissions').select((eb) => eb.fn.countAll<number>().as('n')).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').executeTakeFirstOrThrow();
  return { datasets: rows.map((row) => rowOf(workspace, campaign.slug, row)), acceptable: n };
}

/** One of the files that a listing names: a name never becomes a path. */
export async function datasetFile(context: Context, workspace: string, version: number, file: string): Promise<Buffer> {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const row = await db.selectFrom('datasets').selectAll().where('campaign_id', '=', campaign.id).where('version', '=', version).executeTakeFirst();
  if (!row || !rowOf(workspace, campaign.slug, row).files.some(({ name }) => name === file)) throw notFound();
  return readFileSync(join(folderOf(workspace, campaign.slug, version), file));
}

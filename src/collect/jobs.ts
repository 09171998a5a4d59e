/** What happens by itself: the index of similar records takes in what is new, leases, reviews and unanswered records run out, a campaign ends at its published end, the day's board is drawn, prizes have their candidates. Any number of servers may run it. */
import { currentCampaign } from './campaigns/current.ts';
import { moveCampaign } from './campaigns/campaigns.ts';
import type { Context } from './context.ts';
import { nominateIfChanged } from './points/awards.ts';
import { boardTimes, snapshotAt } from './points/boards.ts';
import { Refusal } from './refusal.ts';
import { expireReviews } from './reviewing/reviews.ts';
import { shownCutoff } from './rules/boards.ts';
import { lapseRecords } from './writing/lapse.ts';
import { expireLeases } from './writing/tasks.ts';

export async function runJobs(context: Context): Promise<void> {
  const now = context.now();
  await expireLeases(context.store.db, now);
  await context.store.transaction((tx) => expireReviews(tx, now));
  await context.store.db.deleteFrom('sessions').where('expires_at', '<', new Date(now)).execute();
  await context.store.db.deleteFrom('sign_ins').where('expires_at', '<', new Date(now)).execute();
  await context.store.db.deleteFrom('throttles').where('until', '<', new Date(now)).execute();
  const campaign = await currentCampaign(context.store.db);
  if (!campaign || campaign.state === 'draft') return;
  if (campaign.state === 'open') await context.similar.refresh(context.store.db, campaign.id);
  const cutoff = shownCutoff(now, boardTimes(campaign));
  if (cutoff !== undefined) await snapshotAt(context.store, campaign, new Date(cutoff));
  await context.store.transaction((tx) => lapseRecords(tx, context, campaign));
  await nominateIfChanged(context, campaign);
  if (['open', 'paused'].includes(campaign.state) && campaign.ends_at.getTime() <= now) {
    try {
      await moveCampaign(context, null, ['system'], 'close');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // another server was quicker
    }
  }
}

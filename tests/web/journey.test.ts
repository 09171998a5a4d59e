/**
 * Journeys with the keyboard alone, and what happens to a text when things go wrong. In a real browser against the server of
 * tests/web/fake-server.ts. Needs chromium and the built pages.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launch, noBrowser } from './browser.ts';
import { startFake, type Running } from './fake-server.ts';

const QUESTION = 'Why do we see our breath on cold mornings in winter?';
const ANSWER = 'Breath is warm and full of water vapour. Outside it cools at once, and the vapour turns into tiny drops that we see as a small cloud.';

let browser: Browser;
let run: Running;
let context: BrowserContext;
let page: Page;
before(async () => {
  if (!noBrowser) browser = await launch();
});
after(() => browser?.close());
beforeEach(async (t) => {
  if (noBrowser) return;
  run = await startFake();
  context = await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  (t as unknown as { after(end: () => Promise<void>): void }).after(async () => {
    await context.close();
    await run.close();
  });
});

/** Presses Tab until the focus is on what is wanted, and says so if it never gets there: that would be a trap. */
async function tabTo(name: RegExp, most = 60): Promise<void> {
  for (let i = 0; i < most; i++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || !element.matches('a, button, input, textarea, select, summary')) return '';
      const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement ? element.labels?.[0]?.textContent : undefined;
      return element.getAttribute('aria-label') ?? label ?? element.textContent ?? '';
    });
    if (name.test(focused)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab never reached ${name}`);
}

const skip = { skip: noBrowser, timeout: 120_000 };

test('a writer with the keyboard alone: from the home page to a record handed in, and the next task', skip, async () => {
  await page.goto(run.url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  // The first stop of Tab leads past the menu.
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /Skip/);
  await tabTo(/^Write/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'What will you write?' }).waitFor();
  // The keys are the categories': they count from when these are shown.
  await page.getByRole('button', { name: /^Open question/ }).waitFor();
  await page.keyboard.press('Alt+1');
  await page.getByRole('heading', { name: 'Open question', level: 1 }).waitFor();
  await tabTo(/^Instruction/);
  await page.keyboard.type(QUESTION);
  await page.keyboard.press('Tab');
  await page.keyboard.type(ANSWER);
  // Not yet: the text has to be one's own, and the focus goes to where that is said.
  await page.keyboard.press('Control+Enter');
  await page.getByText('Say first that the text is your own.').waitFor();
  await page.keyboard.press('Space');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('heading', { name: 'Handed in. Thank you.' }).waitFor();
  assert.equal(run.studio.submitted.length, 1);
  assert.deepEqual(run.studio.submitted[0]?.body, { instruction: QUESTION, context: '', response: ANSWER });
  await page.keyboard.press('n');
  await page.getByRole('textbox', { name: 'Instruction' }).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Instruction' }).inputValue(), '');
});

test('a reviewer with the keyboard alone: scores, verdict, sent', skip, async () => {
  run.studio.roles = ['reviewer', 'member'];
  await page.goto(`${run.url}/review`);
  await page.getByRole('heading', { name: 'Review' }).waitFor();
  // Keys count from when the scores can be seen.
  await page.getByText('Fits the category').first().waitFor();
  for (const key of ['4', '5', '4', '3']) await page.keyboard.press(key);
  await page.keyboard.press('Control+Enter');
  await page.getByText('Give a score first for: Fits the category.').waitFor();
  await page.keyboard.press('5');
  await page.keyboard.press('a');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Thank you. Here is the next one.').waitFor();
  assert.deepEqual(run.studio.reviews, [{ scores: { follows_instruction: 4, correct: 5, clear: 4, grounded: 3, category_fit: 5 }, verdict: 'accept', flags: [], comment: '' }]);
});

test('a review whose scores and verdict do not fit together is said so, and is not sent', skip, async () => {
  await page.goto(`${run.url}/review`);
  await page.getByText('Fits the category').first().waitFor();
  for (const key of ['2', '2', '2', '2', '2', 'a']) await page.keyboard.press(key);
  await page.keyboard.press('Control+Enter');
  await page.getByText(/^These scores are too low to accept it/).waitFor();
  for (const group of await page.getByRole('group').filter({ has: page.getByRole('radio', { name: /^5: / }) }).all()) await group.getByText('5', { exact: true }).click();
  await page.getByLabel('Copied from elsewhere').check();
  await page.keyboard.press('Control+Enter');
  await page.getByText(/^With this flag you cannot accept it/).waitFor();
  await page.keyboard.press('r');
  await page.getByLabel('Copied from elsewhere').uncheck();
  await page.getByRole('textbox', { name: 'Comment for the author' }).fill('I would rather not have it.');
  await page.keyboard.press('Control+Enter');
  await page.getByText(/^These scores are too high to reject it/).waitFor();
  assert.deepEqual(run.studio.reviews, []);
});

test('single keys are off while one writes, and can be switched off for good', skip, async () => {
  await page.goto(`${run.url}/review`);
  const comment = page.getByRole('textbox', { name: 'Comment for the author' });
  await comment.focus();
  await page.keyboard.type('a 1 r ?');
  assert.equal(await comment.inputValue(), 'a 1 r ?');
  assert.equal(await page.getByRole('radio', { checked: true }).count(), 0);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('?');
  const list = page.getByRole('dialog', { name: 'Keyboard' });
  await list.getByRole('checkbox', { name: 'Single keys' }).uncheck();
  await page.keyboard.press('Escape');
  // An open dialog would keep the keys off as well.
  await list.waitFor({ state: 'hidden' });
  await page.keyboard.press('a');
  assert.equal(await page.getByRole('radio', { checked: true }).count(), 0);
  await page.reload();
  await comment.waitFor();
  await page.keyboard.press('a');
  assert.equal(await page.getByRole('radio', { checked: true }).count(), 0);
});

test('a moderator with the keyboard alone', skip, async () => {
  run.studio.roles = ['moderator', 'member'];
  await page.goto(`${run.url}/decide`);
  await page.getByRole('heading', { name: 'Decide', level: 1 }).waitFor();
  await tabTo(/What is honey/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Question on a passage', level: 1 }).waitFor();
  await page.keyboard.press('r');
  await tabTo(/^Reason/);
  await page.keyboard.type('The passage is not needed to answer it.');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Nothing waits for a decision').waitFor();
  assert.deepEqual(run.studio.decisions, [{ verdict: 'reject', quality: 4, rationale: 'The passage is not needed to answer it.' }]);
});

/** What a dialog says, once it has taken the focus into itself. */
async function inDialog(name: RegExp): Promise<void> {
  await page.getByRole('dialog', { name }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.closest('dialog') !== null), true, 'the focus is in the dialog');
}

test('a member with the keyboard alone: asks a question, reports a passage', skip, async () => {
  run.studio.roles = ['member'];
  await page.goto(`${run.url}/write`);
  await page.getByRole('heading', { name: 'What will you write?' }).waitFor();
  await tabTo(/^Ask a question/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Ask a question', level: 1 }).waitFor();
  await tabTo(/^Category/);
  await page.keyboard.press('q'); // the choice whose name begins so
  await tabTo(/^Draw a passage/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Passage' }).waitFor();
  await tabTo(/^Report this passage/);
  await page.keyboard.press('Enter');
  await inDialog(/Report this passage/);
  await tabTo(/^What is wrong/);
  await page.keyboard.type('It says nothing of its source.');
  await tabTo(/^Send the report/);
  await page.keyboard.press('Enter');
  await page.getByText('Thank you. A moderator will look at it.').waitFor();
  assert.deepEqual(run.studio.reported, [{ kind: 'passage', id: '00000000-0000-7000-8000-000000000004', reason: 'It says nothing of its source.' }]);
  await tabTo(/^Question/);
  await page.keyboard.type('Why so?');
  await page.keyboard.press('Control+Enter');
  assert.deepEqual(run.studio.asked, [], 'too short');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('What keeps honey from spoiling in a closed jar?');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Asked. Colleagues can answer it now.').waitFor();
  assert.deepEqual(run.studio.asked, ['What keeps honey from spoiling in a closed jar?']);
});

test('a moderator with the keyboard alone: judges the audit, settles a report', skip, async () => {
  run.studio.roles = ['moderator', 'member'];
  await page.goto(`${run.url}/audit`);
  await page.getByText('Can this record stay?').waitFor();
  await page.keyboard.press('Control+Enter');
  await page.getByText('Choose a verdict first.').waitFor();
  await page.keyboard.press('f');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Say in a sentence what shows it.').waitFor();
  await tabTo(/^Reason/);
  await page.keyboard.type('It is a page of the web, word for word.');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Thank you. Here is the next one.').waitFor();
  await page.getByText(/^1 record waits for you/).waitFor();
  await page.keyboard.press('p');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('heading', { name: 'Nothing to judge' }).waitFor();
  assert.deepEqual(run.studio.votes, [{ vote: 'fail', reason: 'It is a page of the web, word for word.' }, { vote: 'pass', reason: '' }]);

  await tabTo(/^Manage/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Progress', level: 1 }).waitFor();
  await tabTo(/^Reports$/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Reports', level: 1 }).waitFor();
  await tabTo(/^This names a customer/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'A reported record', level: 1 }).waitFor();
  await tabTo(/^Nothing to it/);
  // Arrow keys, as with any radio buttons: past "nothing to it" and "elsewhere" to taking it out.
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown');
  await tabTo(/^Settle/);
  await page.keyboard.press('Enter');
  await page.getByText('Settled').first().waitFor();
  assert.deepEqual(run.studio.settled, [{ state: 'actioned', act: 'retract', answer: '' }]);
});

test('an organiser with the keyboard alone: pauses the campaign, invites somebody, closes an audit, seals a version', skip, async () => {
  run.studio.roles = ['admin'];
  await page.goto(run.url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await tabTo(/^Manage/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Progress', level: 1 }).waitFor();

  await tabTo(/^Campaign$/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await tabTo(/^Pause/);
  await page.keyboard.press('Enter');
  await inDialog(/Pause/);
  // Escape leaves all as it was, and the focus comes back.
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('Pause'));
  assert.deepEqual(run.studio.moves, []);
  await page.keyboard.press('Enter');
  await inDialog(/Pause/);
  await tabTo(/^Pause/);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog[open]') === null);
  assert.deepEqual(run.studio.moves, [{ event: 'pause' }]);

  await tabTo(/^People$/, 120);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'People', level: 1 }).waitFor();
  await tabTo(/^Make an invitation/, 120);
  await page.keyboard.press('Enter');
  await page.getByLabel('Invitation link').waitFor();
  await tabTo(/^Copy/, 120);

  await tabTo(/^Prizes$/, 160);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Prizes', level: 1 }).waitFor();
  await tabTo(/^Close the audit: Rory MacLeod/, 80);
  await page.keyboard.press('Enter');
  await inDialog(/Close the audit/);
  await tabTo(/^Close the audit$/);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog[open]') === null);
  assert.deepEqual(run.studio.moves.at(-1), { award: '00000000-0000-7000-8000-0000000003b6', event: 'audit', reason: '' });

  await tabTo(/^Dataset$/, 80);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Seal 603/ }).waitFor();
  await tabTo(/^Seal 603/);
  await page.keyboard.press('Enter');
  await inDialog(/Seal a version/);
  await page.getByText('The campaign still runs: this is an interim version.').waitFor();
  await tabTo(/^Seal$/);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog[open]') === null);
  assert.equal(run.studio.sealed, 1);
});

async function openDraft(): Promise<{ id: string; instruction: ReturnType<Page['getByRole']> }> {
  const { id } = run.studio.newDraft('open_qa');
  await page.goto(`${run.url}/write/${id}`);
  const instruction = page.getByRole('textbox', { name: 'Instruction' });
  await instruction.waitFor();
  return { id, instruction };
}

test('a text survives a reload right after it was typed, before the server has it', skip, async () => {
  const { id, instruction } = await openDraft();
  run.studio.down = true;
  await instruction.fill(QUESTION);
  await page.waitForFunction(async (text) => {
    if (!(await indexedDB.databases()).some(({ name }) => name === 'roslin')) return false;
    return await new Promise<boolean>((resolve, reject) => {
      const opening = indexedDB.open('roslin');
      opening.onerror = () => reject(new Error('the database did not open'));
      opening.onsuccess = () => {
        const rows = opening.result.transaction('drafts').objectStore('drafts').getAll() as IDBRequest<{ body: { instruction: string } }[]>;
        rows.onerror = () => reject(new Error('the drafts could not be read'));
        rows.onsuccess = () => {
          opening.result.close();
          resolve(rows.result.some(({ body }) => body.instruction === text));
        };
      };
    });
  }, QUESTION);
  run.studio.down = false;
  const kept = run.studio.drafts.get(id);
  assert.equal(kept?.body.instruction, '');
  await page.reload();
  await instruction.waitFor();
  await page.waitForFunction((text) => document.querySelector('textarea')?.value === text, QUESTION);
});

test('offline: it says so, keeps the text, and saves it when the server is back', skip, async () => {
  const { id, instruction } = await openDraft();
  run.studio.down = true;
  await instruction.fill(QUESTION);
  await page.getByText('Offline, kept on this device').waitFor();
  run.studio.down = false;
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.getByText(/^Saved /).waitFor();
  assert.equal(run.studio.drafts.get(id)?.body.instruction, QUESTION);
});

test('two devices: both texts are shown, and a person chooses', skip, async () => {
  const { id, instruction } = await openDraft();
  const draft = run.studio.drafts.get(id);
  assert.ok(draft);
  draft.body = { instruction: 'From the other device', context: '', response: '' };
  draft.revision = 7;
  await instruction.fill('From this page');
  await page.getByRole('heading', { name: 'There are two versions of this draft' }).waitFor();
  assert.equal(await instruction.inputValue(), 'From this page');
  await page.getByRole('button', { name: 'Take the other' }).click();
  assert.equal(await instruction.inputValue(), 'From the other device');
});

test('a session that ends: sign in, and the text is there', skip, async () => {
  const { id, instruction } = await openDraft();
  await instruction.fill(QUESTION);
  await page.waitForTimeout(600);
  run.studio.signedIn = false;
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Login or e-mail').fill('isla');
  await page.getByLabel('Password').fill('correct horse');
  await page.keyboard.press('Enter');
  await instruction.waitFor();
  await page.waitForFunction((text) => document.querySelector('textarea')?.value === text, QUESTION);
  await page.getByText(/^Saved /).waitFor();
  assert.equal(run.studio.drafts.get(id)?.body.instruction, QUESTION);
});

test('handing in can be taken back for ten seconds', skip, async () => {
  const { id, instruction } = await openDraft();
  await instruction.fill(QUESTION);
  await page.getByRole('textbox', { name: 'Response' }).fill(ANSWER);
  await page.getByRole('checkbox').check();
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: /Take back/ }).click();
  await instruction.waitFor();
  assert.equal(await instruction.inputValue(), QUESTION);
  assert.equal(run.studio.drafts.get(id)?.open, true);
});

test('a record that is too short is refused with what to mend, and the text stays', skip, async () => {
  const { instruction } = await openDraft();
  await instruction.fill('Why is it so?');
  await page.getByRole('textbox', { name: 'Response' }).fill('Because it is.');
  await page.keyboard.press('Control+Enter');
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.match((await alert.textContent()) ?? '', /One thing to mend first.*Response: 3 words so far; at least 8 are needed/);
  assert.equal(run.studio.submitted.length, 0);
  assert.equal(await instruction.inputValue(), 'Why is it so?');
});

test('a hint while typing shows the place that is meant', skip, async () => {
  await openDraft();
  await page.getByRole('textbox', { name: 'Response' }).fill(`${ANSWER} Call me at +44 20 7946 0958.`);
  await page.getByText('This looks like personal data.').waitFor();
  assert.equal(await page.locator('mark').first().textContent(), '+44 20 7946 0958');
});

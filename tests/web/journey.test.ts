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
      const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels?.[0]?.textContent : undefined;
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

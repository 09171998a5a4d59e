/**
 * The pages with the real command: a newcomer from `roslin up` on an empty folder to a record that two colleagues accepted, by clicking, in real
 * time. Needs chromium and the built pages; screenshots are kept in .roslin/screenshots/newcomer, or in the folder in ROSLIN_SCREENSHOTS.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { roslinUp, type Up } from '../server/load/processes.ts';
import { launch, noBrowser } from './browser.ts';

const PASSWORD = 'correct horse battery staple';
const QUESTION = 'Why do we see our breath on cold mornings in winter?';
const ANSWER = 'Breath is warm and full of water vapour. Outside it cools at once, and the vapour turns into tiny drops that we see as a small cloud.';
const shots = process.env['ROSLIN_SCREENSHOTS'] ?? fileURLToPath(new URL('../../.roslin/screenshots/newcomer', import.meta.url));
/** So long a record can be taken back before anybody gets it to review. */
const UNDO_MS = 10_000;
/** Faster than this nobody reads the record, and a faster review would not count. */
const READ_MS = 6000;

async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** A person with a browser of their own; complaints of their pages come together. */
async function person(browser: Browser, complaints: string[]): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 } })).newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(`${page.url()}: ${message.text()}`));
  return page;
}

async function account(page: Page, name: string, button: RegExp): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Login or e-mail').fill(name.toLowerCase().replace(/\s/g, ''));
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: button }).click();
}

async function agree(page: Page): Promise<void> {
  await page.getByRole('checkbox', { name: 'I have read this and agree.' }).check();
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('heading', { name: /^Hello/ }).waitFor();
}

async function review(page: Page): Promise<void> {
  await page.getByRole('link', { name: /^Review/ }).first().click();
  await page.getByRole('heading', { name: 'The record' }).waitFor();
  assert.ok(await page.getByText(QUESTION).isVisible());
  await page.waitForTimeout(READ_MS);
  for (const group of await page.getByRole('group').all()) {
    const four = group.getByRole('radio', { name: /^4:/ });
    if ((await four.count()) === 1) await four.check({ force: true });
  }
  await page.keyboard.press('a');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Thank you. Here is the next one.').waitFor();
}

test('from roslin up to an accepted record, by clicking', { skip: noBrowser, timeout: 600_000 }, async (t) => {
  const workspace = mkdtempSync(join(tmpdir(), 'roslin-pages-'));
  // Started as root, PostgreSQL runs as somebody else, who has to get there.
  chmodSync(workspace, 0o711);
  let up: Up | undefined;
  let browser: Browser | undefined;
  try {
    browser = await launch();
    const complaints: string[] = [];
    const begun = performance.now();
    up = await roslinUp(join(workspace, 'studio'));

    const owner = await person(browser, complaints);
    await owner.goto(up.ownerLink ?? '');
    await account(owner, 'Isla Fraser', /Make the account/);
    await owner.getByRole('link', { name: 'New campaign' }).click();
    await owner.getByLabel('Name', { exact: true }).fill('Autumn of a thousand answers');
    await owner.getByLabel('Organisation').fill('Harbour & Sons');
    for (let i = 0; i < 4; i++) await owner.getByRole('button', { name: 'Next' }).click();
    await owner.getByRole('button', { name: 'Make the campaign' }).click();
    await owner.getByRole('button', { name: 'Open the campaign' }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Open the campaign' }).click();
    await owner.getByRole('button', { name: 'Pause' }).waitFor();
    await picture(owner, 'campaign');

    const people: Page[] = [];
    for (const name of ['Ann Grant', 'Bob Ross', 'Cid Munro']) {
      await owner.goto(`${up.url}/manage/people`);
      await owner.getByRole('button', { name: 'Make an invitation' }).click();
      const link = await owner.getByLabel('Invitation link').inputValue();
      const page = await person(browser, complaints);
      await page.goto(link);
      await account(page, name, /Accept and make an account/);
      await agree(page);
      people.push(page);
    }
    const [ann, bob, cid] = people;
    assert.ok(ann && bob && cid);
    await picture(ann, 'home');

    await ann.getByRole('link', { name: /^Write/ }).first().click();
    await ann.getByRole('button', { name: /Open question/ }).click();
    await ann.getByRole('textbox', { name: 'Instruction' }).fill(QUESTION);
    await ann.getByRole('textbox', { name: 'Response' }).fill(ANSWER);
    await ann.getByText(/^Saved /).waitFor();
    await picture(ann, 'write');
    await ann.getByRole('checkbox').check();
    await ann.getByRole('button', { name: /Hand in/ }).click();
    await ann.getByRole('heading', { name: 'Handed in. Thank you.' }).waitFor();
    await ann.waitForTimeout(400);
    await picture(ann, 'handed-in');
    await ann.waitForTimeout(UNDO_MS + 500);

    await review(bob);
    await picture(bob, 'reviewed');
    await review(cid);

    await ann.getByRole('link', { name: /^My records/ }).first().click();
    await ann.getByText('Accepted', { exact: true }).first().waitFor();
    await ann.getByText(QUESTION).click();
    await ann.getByRole('button', { name: 'Explain these points' }).click();
    await ann.getByText(/By rules .* They are not changed afterwards/).waitFor();
    await picture(ann, 'accepted');
    const seconds = (performance.now() - begun) / 1000;
    t.diagnostic(`${seconds.toFixed(1)} s from the command to the accepted record`);
    assert.ok(seconds < 240, `${seconds} s`);
    assert.deepEqual(complaints, []);
    assert.doesNotMatch(up.said(), /^roslin:/m);
  } finally {
    await browser?.close();
    await up?.stop();
    rmSync(workspace, { recursive: true, force: true });
  }
});

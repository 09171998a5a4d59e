/** The checks over whole datasets: each with records that it finds and some that it lets pass, leaks, waivers, fixes, and the page. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readDataset, readManifest } from '../../src/artefacts/dataset.ts';
import { toDatasetRecord, type DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { CHECKS, checkDataset, type CheckReport, type CheckRequest, type Finding } from '../../src/dataset/check.ts';
import { checkPage } from '../../src/dataset/check-page.ts';
import { fixRecord, writeChecked } from '../../src/dataset/check-write.ts';
import { importDataset } from '../../src/dataset/import.ts';
import { recordHash, sealDataset } from '../../src/dataset/seal.ts';
import { splitDataset } from '../../src/dataset/split.ts';
import { parseWaiver, readWaivers } from '../../src/dataset/waivers.ts';
import { InputError } from '../../src/errors.ts';
import { renderCheck } from '../../src/cli/dataset-check.ts';
import { arbitraryRecord, Folder, importing, PROVENANCE } from './support.ts';

async function run(request: CheckRequest): Promise<{ findings: Finding[]; report: CheckReport }> {
  const findings: Finding[] = [];
  const steps = checkDataset(request);
  let step = await steps.next();
  for (; !step.done; step = await steps.next()) findings.push(step.value);
  return { findings, report: step.value };
}

async function checked(folder: Folder, records: readonly object[], more: Partial<CheckRequest> = {}): Promise<{ findings: Finding[]; report: CheckReport; data: string }> {
  const data = folder.fresh();
  await importDataset(importing([folder.lines(`${folder.fresh('.jsonl').split('/').at(-1)!}`, records)]), data);
  return { ...(await run({ data, ...more })), data };
}

const kindsOf = (findings: readonly Finding[], check: string): string[] => findings.filter((finding) => finding.check === check).map(({ record, kind }) => `${record?.line ?? ''} ${kind}`);

const LONG = 'The Eurasian otter lives along rivers and lakes, where it hunts fish at night and rests in a holt by day. It was hunted for its fur until the middle of the last century, and pesticides made it rare in much of Europe. Since those were forbidden its numbers have grown again, and in many places it has come back by itself. A grown male needs up to twenty kilometres of river bank for itself, a female with cubs rather less than that.';
const plain = { instruction: 'Where do otters live in Europe?', response: 'They live along clean rivers and lakes that have enough fish and quiet banks.', category: 'open_qa' };

describe('each check finds and lets pass', () => {
  const cases: [check: string, record: object, kinds: string[]][] = [
    ['personal-data', { ...plain, response: `${plain.response} Ask anna@otters.co.uk or bo@otters.co.uk.` }, ['e-mail']],
    ['personal-data', plain, []],
    ['secrets', { ...plain, context: 'postgres://app:s3cr3tPw@db.internal/x' }, ['password']],
    ['model-phrases', { ...plain, response: 'As an AI language model, I do not swim in rivers or in lakes.' }, ['model']],
    ['encoding', { ...plain, response: 'The cafÃ© by the river has otters at its door in winter.' }, ['damage']],
    ['citation-marks', { ...plain, category: 'closed_qa', context: `${LONG}[3]` }, ['mark']],
    ['profanity', { ...plain, instruction: 'What the fuck do otters eat?' }, ['word']],
    ['language', { ...plain, response: 'sie leben an sauberen flüssen und seen, in denen es genug fische gibt und an denen es ruhig ist' }, ['de']],
    ['language', { ...plain, instruction: 'Which of these are kinds of pasta, and which are kinds of bread?', context: 'casarecce, gnocco fritto, gnocchi, focaccia, grissini, ciabatta, tonnarelli, orecchiette', response: 'Pasta: casarecce, gnocchi, tonnarelli, orecchiette. Bread: gnocco fritto, focaccia, grissini, ciabatta' }, []],
    ['category', { ...plain, category: 'closed_qa' }, ['no-context']],
    ['category', { ...plain, context: LONG }, ['context']],
    ['category', { instruction: 'Name animals of the river, please.', response: 'otter, heron', category: 'brainstorming' }, ['few-items']],
    ['category', { instruction: 'Name animals of the river, please.', response: '- otter\n- heron\n- Otter', category: 'brainstorming' }, ['same-items']],
    ['category', { instruction: 'Name animals of the river, please.', response: '- otter\n- heron\n- eel', category: 'brainstorming' }, []],
    ['category', { instruction: 'Say of each whether it is a fish or a bird: heron, carp, eel, kingfisher, newt', response: 'Oak and beech', category: 'classification' }, ['class-not-named']],
    ['category', { instruction: 'Say of each whether it is a fish or a bird: heron, carp, eel, kingfisher, newt', response: 'Fish: carp, eel. Bird: heron', category: 'classification' }, []],
    ['category', { instruction: 'Summarise this for me.', context: LONG, response: LONG, category: 'summarization' }, ['summary-long']],
    ['category', { instruction: 'How much river does a male need?', context: LONG, response: 'Hamburg', category: 'closed_qa' }, ['not-from-passage']],
    ['category', { instruction: 'How much river does a male need?', context: LONG, response: 'Up to twenty kilometres.', category: 'closed_qa' }, []],
    ['lengths', { ...plain, instruction: 'Otters?', response: 'Rivers.' }, ['instruction-short', 'response-short']],
    ['lengths', plain, []],
    ['answer', { ...plain, response: '...' }, ['no-word']], ['answer', { ...plain, response: 'N/A' }, ['placeholder']], ['answer', { ...plain, response: 'I don’t know, sorry.' }, ['no-answer']],
    ['answer', { ...plain, response: 'where do OTTERS live in Europe?' }, ['echo']], ['answer', { ...plain, response: `${LONG} They eat fish, crabs and` }, ['cut-off']], ['answer', { ...plain, response: 'the otter eats fish and '.repeat(20) }, ['repetition']],
    ['answer', { ...plain, response: '42' }, []], ['answer', { ...plain, response: '😀' }, []],
    ['copied', { instruction: 'Summarise this for me.', context: LONG, response: LONG.slice(0, 150), category: 'summarization' }, ['summary']],
    ['copied', { instruction: 'What is said of it?', context: LONG, response: LONG, category: 'closed_qa' }, ['whole']],
    ['copied', { instruction: 'Where does it rest?', context: LONG, response: 'It rests in a holt by day.', category: 'closed_qa' }, []],
  ];
  for (const [i, [check, record, kinds]] of cases.entries()) {
    test(`${i}: ${check}, ${kinds.join(' and ') || 'nothing'}`, async () => {
      using folder = new Folder();
      const { findings, report } = await checked(folder, [record], { only: [check], options: { language: 'en' } });
      assert.deepEqual(findings.map(({ kind }) => kind), kinds);
      assert.equal(report.checks.length, 1);
      const texts = record as Record<string, string>;
      for (const { places, excerpt, record: of } of findings) {
        assert.ok(places.length > 0 && of!.line === 1);
        for (const { part, from, to } of places) assert.ok(from >= 0 && to > from && to <= texts[part]!.length);
        assert.ok(excerpt);
      }
    });
  }
  test('every check but those of pairs and of balance has a case above', () => assert.deepEqual(new Set(cases.map(([check]) => check)), new Set(CHECKS.map(({ name }) => name).filter((name) => !['duplicates', 'leaks', 'balance'].includes(name)))));
});

test('personal data and keys are never shown whole', async () => {
  using folder = new Folder();
  const { findings, report } = await checked(folder, [{ ...plain, response: 'Ask anna@otters.co.uk or (212) 736-5000 about it, or bo@otters.co.uk. [12]' }]);
  assert.ok(findings.some(({ check }) => check === 'citation-marks'), 'a place beside them');
  const everything = JSON.stringify({ findings, report }) + checkPage(report, findings) + renderCheck(report, findings, 5, (_style, text) => text);
  for (const secret of ['anna@otters', 'bo@otters', '736-5000']) assert.ok(!everything.includes(secret), secret);
  assert.equal(report.verdict, 'block');
});

test('duplicates: the same record, the same question, the same answer, a passage too often', async () => {
  using folder = new Folder();
  const answer = 'Otters hunt fish at night along the banks of rivers and sleep by day in a holt.';
  const { findings } = await checked(folder, [
    { instruction: 'When do otters hunt their fish?', response: answer }, { instruction: 'When do otters hunt their fish', response: `${answer}!` }, { instruction: 'When do otters hunt their fish?', response: 'At night.' }, { instruction: 'Say something of an animal.', response: answer },
    ...['a', 'b', 'c', 'd'].map((name) => ({ instruction: `Which letter is it: ${name.repeat(9)}?`, context: LONG, response: name })), { instruction: 'When do herons hunt their fish?', response: 'By day.' },
  ], { only: ['duplicates'] });
  assert.deepEqual(kindsOf(findings, 'duplicates'), ['2 record', '3 question', '4 answer', '8 passage']);
  assert.deepEqual(findings.map(({ other }) => other!.line), [1, 1, 1, 5]);
});

test('leaks: into a held-out part, and of evaluation sets', async () => {
  using folder = new Folder();
  const questions = Array.from({ length: 40 }, (_, i) => ({ instruction: `Which of the ${i} rivers of county ${String.fromCharCode(65 + (i % 26)).repeat(4)}${i} has otters in it?`, response: `Number ${i}.` }));
  const twin = { instruction: 'What do the otters of the northern lakes eat in winter, when all is frozen?', response: 'Crabs.' };
  const evaluation = folder.lines('evaluation.jsonl', [
    { query: 'Question: What do the otters of the northern lakes eat in winter, when all is frozen over?\nAnswer:', choices: ['a', 'b'], gold: 0 }, { query: 'A male needs up to twenty kilometres of river bank for itself', choices: [], gold: 0 }, { query: 'Nothing of this is anywhere in the records', choices: [], gold: 0 },
  ]);
  const { findings, data, report } = await checked(folder, [...questions, twin, { ...twin, response: 'Fish.' }, { instruction: 'What is this?', context: LONG, response: 'A text.' }], { against: [evaluation], only: ['leaks'] });
  assert.deepEqual(kindsOf(findings, 'leaks').sort(), ['41 evaluation-text', '42 evaluation-text', '43 evaluation-text']);
  assert.deepEqual(findings.map(({ other }) => other!.line).sort((a, b) => a - b), [1, 1, 2]);
  assert.equal(report.evaluation_texts, 3);

  // A split that goes through the twins, and one that does not.
  const split = folder.fresh();
  await splitDataset({ dataset: data, out: split, share: 0.5, seed: 1, grouping: { name: 'none', groups: (records) => Int32Array.from(records, (_, i) => i) } });
  const sides = readManifest(split).files.map((file) => [...readDataset(split, file)].map(({ record }) => record.instruction));
  const apart = sides.every((side) => side.includes(twin.instruction));
  const leaks = (await run({ data: split, only: ['leaks'] })).findings;
  assert.equal(leaks.some(({ kind }) => kind === 'held-out-question'), apart);
  const grouped = folder.fresh();
  await splitDataset({ dataset: data, out: grouped, share: 0.3, seed: 3 });
  assert.deepEqual((await run({ data: grouped, only: ['leaks'] })).findings, []);
});

test('a held-out question that is trained on is found', async () => {
  using folder = new Folder();
  // Seeds differ in what they hold out: one of these takes the twins apart.
  const twin = { instruction: 'What do the otters of the northern lakes eat in winter, when all is frozen?', response: 'Crabs.' };
  const data = folder.fresh();
  await importDataset(importing([folder.lines('a.jsonl', [twin, { ...twin, instruction: twin.instruction.replace('frozen', 'frozzen') }])]), data);
  const split = folder.fresh();
  await splitDataset({ dataset: data, out: split, share: 0.5, seed: 1, grouping: { name: 'none', groups: (records) => Int32Array.from(records, (_, i) => i) } });
  const { findings, report } = await run({ data: split });
  assert.deepEqual(findings.filter(({ check }) => check === 'leaks').map(({ kind, record }) => [kind, record!.file]), [['held-out-question', 'held-out.jsonl']]);
  assert.equal(report.verdict, 'block');
});

test('balance: a small category, one much larger than another, one person', async () => {
  using folder = new Folder();
  const of = (category: string, n: number, contributor: string) => Array.from({ length: n }, (_, i) => ({ instruction: `i ${category} ${i}`, context: '', response: `r ${i}`, category, provenance: { record: { ...PROVENANCE, contributor } } }));
  const { findings, report } = await checked(folder, [...of('open_qa', 100, 'a'), ...of('closed_qa', 1, 'b'), ...of('brainstorming', 10, 'c'), ...of('classification', 10, 'd'), ...of('summarization', 10, 'e')], { only: ['balance'] });
  assert.deepEqual(kindsOf(findings, 'balance'), [' small-category', ' uneven', ' one-person']);
  assert.equal(report.distribution.contributors, 5);
  assert.deepEqual(report.distribution.lengths.response, [{ upTo: 16, records: 131 }]);
});

describe('waivers', () => {
  test('let findings pass, with their reason, and say where they were of no use', async () => {
    using folder = new Folder();
    const records = [{ ...plain, response: 'Ask anna@otters.co.uk about it.' }, { ...plain, instruction: 'Whom to ask of otters in Wales?', response: 'Ask bo@otters.co.uk about it.' }];
    const { findings, data } = await checked(folder, records, { only: ['personal-data'] });
    const waivers = [parseWaiver(`personal-data/e-mail@${findings[0]!.record!.hash.slice(0, 12)}=she agreed`), parseWaiver('secrets=none of them is real')];
    const second = await run({ data, only: ['personal-data', 'secrets'], waivers });
    assert.deepEqual(second.findings.map(({ waived }) => waived), ['she agreed', undefined]);
    assert.deepEqual(second.report.checks.map(({ findings: open, waived }) => [open, waived]), [[1, 1], [0, 0]]);
    assert.deepEqual(second.report.unused_waivers, [waivers[1]]);
    const all = await run({ data, only: ['personal-data'], waivers: [parseWaiver('personal-data=agreed = by all')] });
    assert.equal(all.report.verdict, 'ok');
    assert.equal(all.findings[0]!.waived, 'agreed = by all');
  });
  for (const bad of ['nothing', '=reason', 'check=', 'check/=x', 'check@zz=x', 'check@0123=x', 'Check=x']) test(`refused: ${bad}`, () => assert.throws(() => parseWaiver(bad), InputError));
  test('a file says its line', () => {
    using folder = new Folder();
    const path = folder.lines('w.jsonl', [{ check: 'copied', reason: 'quotations' }, { check: 'copied', reason: '' }]);
    assert.throws(() => readWaivers(path), /line 2/);
  });
});

test('--out: findings are in the records, marks are gone, and the raw text is kept', async () => {
  using folder = new Folder();
  const raw = { instruction: 'Where do otters rest by day?', context: `${LONG}[3][4] And more.`, response: 'In a holt.[3]', category: 'closed_qa' };
  const { findings, data } = await checked(folder, [raw, plain, { ...plain, instruction: 'Is this mark all there is?', response: '_[1]' }], { waivers: [parseWaiver('lengths=a test')] });
  const out = folder.fresh();
  const { fixed, manifest } = await writeChecked(data, findings, out, ['citation-marks']);
  assert.equal(fixed, 2);
  const [before] = readManifest(data).files.flatMap((file) => [...readDataset(data, file)].map(({ record }) => record));
  const records = manifest.files.flatMap((file) => [...readDataset(out, file)].map(({ record }) => toDatasetRecord(record, 'x')));
  assert.deepEqual([records[0]!.context, records[0]!.response], [`${LONG} And more.`, 'In a holt.']);
  assert.deepEqual(records[0]!.provenance.record.parents, [recordHash(before!)]);
  const fixes = readFileSync(join(out, 'fixes.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { record: string; parent: string; changes: { part: 'context'; from: number; was: string; is: string }[] });
  assert.deepEqual([fixes[0]!.record, fixes[0]!.parent], [recordHash(records[0]!), recordHash(before!)]);
  // The raw text comes back by undoing the changes, the last made first.
  const undone: Record<string, string> = { context: records[0]!.context, response: records[0]!.response };
  for (const { part, from, was, is } of fixes[0]!.changes.toReversed()) undone[part] = undone[part]!.slice(0, from) + was + undone[part]!.slice(from + is.length);
  assert.deepEqual(undone, { context: raw.context, response: raw.response });
  assert.ok(records.every(({ checks }) => checks!.some(({ check }) => check === 'all')));
  assert.ok(records.some(({ checks }) => checks!.some(({ check, waived }) => check === 'lengths' && waived === 'a test')));
  // Checked again, sealed: nothing is there twice.
  const again = (await run({ data: out })).findings;
  assert.deepEqual(kindsOf(again, 'citation-marks'), []);
  const second = folder.fresh();
  await writeChecked(out, again, second);
  for (const file of readManifest(second).files) for (const { record } of readDataset(second, file)) assert.equal(record.checks!.filter(({ check }) => check === 'all').length, 1);
  await sealDataset({ datasets: [second], out: folder.fresh() });
  await assert.rejects(writeChecked(data, findings, folder.fresh(), ['lengths']), /citation-marks, encoding/);
});

test('a fix never leaves a part without text, and none makes none', () => {
  const record = toDatasetRecord({ ...plain, context: '', response: '[1]', provenance: { record: PROVENANCE } }, 'x');
  assert.equal(fixRecord(record, [{ fix: [{ part: 'response', from: 0, to: 3, text: '' }] }]), undefined);
  assert.equal(fixRecord(record, []), undefined);
});

test('records of any kind are checked without a throw, and places are inside of their parts', async () => {
  await fc.assert(fc.asyncProperty(fc.array(arbitraryRecord, { minLength: 1, maxLength: 6 }), async (records) => {
    using folder = new Folder();
    const { findings, report } = await checked(folder, records);
    assert.equal(report.records, records.length);
    for (const { record, places } of findings) {
      if (!record) continue;
      const of = records[record.line - 1] as DatasetRecord;
      for (const { part, turn, from, to } of places) assert.ok(from >= 0 && to >= from && to <= (part === 'turns' ? of.turns![turn!]!.text : of[part]!).length);
    }
    const page = checkPage(report, findings);
    assert.doesNotMatch(page, /<script|\son\w+=|javascript:/i);
  }), { numRuns: 60 });
});

test('the page is one file whose policy allows its style alone; text stays text', async () => {
  using folder = new Folder();
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e[12] &amp;';
  const { findings, report } = await checked(folder, [{ ...plain, response: `${plain.response} ${evil}`, category: evil }]);
  const page = checkPage({ ...report, data: evil }, findings.map((finding) => ({ ...finding, waived: evil })));
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
  assert.ok(page.includes(`content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'"`));
  assert.doesNotMatch(page, /<script|<img|\u202e|\sstyle=|src=(?!x)|href="(?!#)|url\(/);
  assert.ok(findings.length > 0 && page.includes('<svg') && page.includes('&#60;script&#62;'));
});

test('the command: JSON, exit codes, refusals', async () => {
  using folder = new Folder();
  const file = folder.lines('a.jsonl', [plain, { ...plain, response: 'As an AI language model, I cannot swim.' }]);
  const roslin = (...args: string[]) => spawnSync(process.execPath, ['src/cli/main.ts', 'dataset', 'check', ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  const json = roslin(file, '--json', '--html', folder.join('a.html'));
  assert.equal(json.status, 0, json.stderr);
  const result = JSON.parse(json.stdout) as CheckReport & { findings: Finding[] };
  assert.equal(result.records, 2);
  assert.ok(result.findings.some(({ check }) => check === 'model-phrases'));
  assert.match(readFileSync(folder.join('a.html'), 'utf8'), /^<!doctype html>/);
  const text = roslin(file, '--fail-on', 'warn');
  assert.equal(text.status, 1);
  assert.match(text.stdout, /! Phrases of language models +1 /);
  assert.equal(roslin(file, '--fail-on', 'block').status, 0);
  for (const [args, says] of [[['--fix', 'encoding'], /--out/], [['--out', folder.fresh()], /Import it first/], [['--only', 'nothing'], /expected checks among/], [['--similarity', '2'], /share/], [['--waive', 'x'], /check=reason/]] as const) {
    const refused = roslin(file, ...args);
    assert.notEqual(refused.status, 0, args.join(' '));
    assert.match(refused.stderr, says);
  }
});

const dolly = '../shared/data/dolly';
test('databricks-dolly-15k: the counts of bench/results/checks.json', { skip: existsSync(dolly) && existsSync('bench/results/checks.json') ? false : 'needs ../shared/data', timeout: 600_000 }, async () => {
  using folder = new Folder();
  const file = folder.write('dolly.jsonl', readdirSync(dolly).filter((name) => name.endsWith('.jsonl')).sort().map((name) => readFileSync(join(dolly, name), 'utf8')).join(''));
  const { report } = await run({ data: file });
  const expected = JSON.parse(readFileSync('bench/results/checks.json', 'utf8')) as { records: number; checks: { check: string; findings: number }[] };
  assert.equal(report.records, expected.records);
  assert.deepEqual(report.checks.map(({ name, findings }) => [name, findings]), expected.checks.filter(({ check }) => check !== 'evaluation').map(({ check, findings }) => [check, findings]));
});

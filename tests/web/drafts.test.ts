/** Drafts: what a person typed is on the device and on the server, whatever happens in between. Time is simulated, IndexedDB is not a browser's but keeps to its rules. */
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { openLocalDrafts, type LocalDrafts } from '../../src/web/drafts/local.ts';
import { DraftSaver, type SaveAnswer, type SaverOptions, type TabMessage } from '../../src/web/drafts/saver.ts';

interface Body {
  readonly response: string;
}
const body = (response: string): Body => ({ response });
const same = (a: Body, b: Body) => a.response === b.response;

/** A server that keeps one draft by compare-and-swap, and can be unreachable. */
class Server {
  text: Body;
  revision = 1;
  reachable = true;
  signedIn = true;
  saves = 0;
  constructor(text: string) {
    this.text = body(text);
  }
  /** The answer is lost on its way back, after the server has saved. */
  loseAnswer = false;

  save = async (text: Body, revision: number): Promise<SaveAnswer<Body>> => {
    await Promise.resolve();
    if (!this.reachable) throw new TypeError('network');
    if (!this.signedIn) return { kind: 'signed-out' };
    if (revision !== this.revision) return { kind: 'conflict', revision: this.revision, theirs: this.text, at: 5 };
    this.saves++;
    this.text = text;
    this.revision++;
    if (this.loseAnswer) throw new TypeError('network');
    return { kind: 'saved', revision: this.revision, at: 1000 + this.revision };
  };

  get draft() {
    return { id: 'd1', body: this.text, revision: this.revision, savedAt: 1 };
  }
}

/** Real timers are needed by the database, simulated ones by the saver: only what the saver waits for is simulated. */
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

/** Lets everything that is under way go on until nothing is; the database goes on by immediates. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
}
async function pass(ms: number): Promise<void> {
  // In small steps, since what one timer begins may set the next.
  const step = ms > 30_000 ? 1000 : 100;
  for (let left = ms; left > 0; left -= step) {
    mock.timers.tick(Math.min(step, left));
    await settle();
  }
}

let databases = 0;
const freshDevice = (): LocalDrafts => openLocalDrafts(`test-${databases++}`);

async function open(server: Server, local: LocalDrafts, more: Partial<SaverOptions<Body>> = {}): Promise<DraftSaver<Body>> {
  const saver = new DraftSaver<Body>({ userId: 'ann', draft: server.draft, local, same, save: server.save, now: () => 7, ...more });
  await saver.open();
  await settle();
  return saver;
}

test('the device has it after 400 ms, the server after 3 s', async () => {
  const server = new Server('');
  const local = freshDevice();
  const saver = await open(server, local);
  saver.edit(body('Hello'));
  assert.equal(saver.state.status, 'unsaved');
  await pass(300);
  assert.equal(await local.get('ann', 'd1'), undefined);
  await pass(100);
  assert.deepEqual((await local.get('ann', 'd1'))?.body, body('Hello'));
  assert.equal((await local.get('ann', 'd1'))?.dirty, true);
  assert.equal(server.text.response, '');
  await pass(2600);
  assert.equal(server.text.response, 'Hello');
  assert.equal(saver.state.status, 'saved');
  assert.equal((await local.get('ann', 'd1'))?.dirty, false);
  saver.close();
});

test('someone who never pauses is saved every three seconds all the same', async () => {
  const server = new Server('');
  const saver = await open(server, freshDevice());
  let typed = '';
  for (let i = 0; i < 100; i++) {
    saver.edit(body((typed += 'x')));
    await pass(100);
  }
  assert.ok(server.saves >= 3, `${server.saves} saves in 10 s`);
  assert.ok(server.text.response.length >= 70, `${server.text.response.length} of 100 letters after 10 s`);
  saver.close();
});

test('a crash loses nothing that is older than 400 ms', async () => {
  const server = new Server('begun');
  const local = freshDevice();
  const crashed = await open(server, local);
  crashed.edit(body('begun and continued'));
  await pass(400);
  crashed.close(); // the tab is gone, nothing reached the server
  assert.equal(server.text.response, 'begun');
  const again = await open(server, local);
  assert.equal(again.state.body.response, 'begun and continued');
  await pass(100);
  assert.equal(server.text.response, 'begun and continued');
  again.close();
});

test('fifteen minutes offline, then everything arrives', async () => {
  const server = new Server('');
  const saver = await open(server, freshDevice());
  server.reachable = false;
  saver.edit(body('one'));
  await pass(4000);
  assert.equal(saver.state.status, 'offline');
  saver.edit(body('one two'));
  await pass(15 * 60_000);
  assert.equal(saver.state.status, 'offline');
  server.reachable = true;
  saver.retry();
  await pass(100);
  assert.equal(saver.state.status, 'saved');
  assert.equal(server.text.response, 'one two');
  saver.close();
});

test('an outage that nobody announces ends within thirty seconds', async () => {
  const server = new Server('');
  const saver = await open(server, freshDevice());
  server.reachable = false;
  saver.edit(body('kept'));
  await pass(10 * 60_000);
  server.reachable = true;
  await pass(31_000);
  assert.equal(server.text.response, 'kept');
  saver.close();
});

test('a second tab that wrote something else: both are shown, nothing is lost', async () => {
  const server = new Server('start');
  const local = freshDevice();
  const mine = await open(server, local);
  const other = await open(server, freshDevice());
  other.edit(body('theirs'));
  await other.flush();
  mine.edit(body('mine'));
  await mine.flush();
  assert.equal(mine.state.status, 'conflict');
  assert.equal(mine.state.conflict?.theirs.response, 'theirs');
  assert.equal(mine.state.body.response, 'mine');
  assert.equal(server.text.response, 'theirs');
  // While it is undecided nothing is sent, and the device keeps what is typed.
  mine.edit(body('mine, more'));
  await pass(10_000);
  assert.equal(server.text.response, 'theirs');
  assert.deepEqual((await local.get('ann', 'd1'))?.body, body('mine, more'));
  mine.resolve('mine');
  await pass(200);
  assert.equal(server.text.response, 'mine, more');
  assert.equal(mine.state.status, 'saved');
  mine.close();
  other.close();
});

test('a conflict can end with the other text', async () => {
  const server = new Server('start');
  const mine = await open(server, freshDevice());
  server.text = body('theirs');
  server.revision = 9;
  mine.edit(body('mine'));
  await mine.flush();
  mine.resolve('theirs');
  assert.deepEqual([mine.state.body.response, mine.state.revision, mine.state.status], ['theirs', 9, 'saved']);
  assert.equal(mine.state.conflict, undefined);
  mine.close();
});

test('an answer that was lost is no conflict with oneself', async () => {
  const server = new Server('');
  const saver = await open(server, freshDevice());
  server.loseAnswer = true;
  saver.edit(body('once'));
  await pass(3100);
  assert.equal(saver.state.status, 'offline');
  server.loseAnswer = false;
  await pass(2100);
  assert.equal(saver.state.status, 'saved');
  assert.equal(saver.state.conflict, undefined);
  assert.equal(server.saves, 1);
  saver.close();
});

test('a session that ended keeps the text here, and goes on after signing in again', async () => {
  const server = new Server('');
  const saver = await open(server, freshDevice());
  server.signedIn = false;
  saver.edit(body('still here'));
  await pass(3100);
  assert.equal(saver.state.status, 'signed-out');
  const saves = server.saves;
  await pass(60_000);
  assert.equal(server.saves, saves);
  server.signedIn = true;
  saver.retry();
  await pass(100);
  assert.equal(server.text.response, 'still here');
  saver.close();
});

test('a tab that only reads follows the one that writes', async () => {
  const server = new Server('');
  const tabs = new Set<(message: TabMessage<Body>) => void>();
  const channel = {
    post: (message: TabMessage<Body>) => tabs.forEach((hear) => hear(message)),
    onMessage: (hear: (message: TabMessage<Body>) => void) => (tabs.add(hear), () => void tabs.delete(hear)),
  };
  const writes = await open(server, freshDevice(), { channel });
  const reads = await open(server, freshDevice(), { channel });
  writes.edit(body('seen in both'));
  await writes.flush();
  assert.equal(reads.state.body.response, 'seen in both');
  assert.equal(reads.state.revision, server.revision);
  await writes.finish();
  assert.equal(reads.state.status, 'gone');
  assert.equal(tabs.size, 1);
  reads.close();
});

test('leaving sends what is unsaved at once, and keeps it on the device', async () => {
  const server = new Server('');
  const local = freshDevice();
  const saver = await open(server, local);
  saver.edit(body('last words'));
  saver.leave();
  saver.close();
  await settle();
  assert.equal(server.text.response, 'last words');
  assert.deepEqual((await local.get('ann', 'd1'))?.body, body('last words'));
});

test('what was handed in is forgotten here; another person never sees it', async () => {
  const server = new Server('');
  const local = freshDevice();
  const saver = await open(server, local);
  saver.edit(body('secret'));
  await saver.keepOnDevice();
  assert.equal(await local.get('bob', 'd1'), undefined);
  assert.deepEqual(await local.unsaved('bob'), []);
  assert.equal((await local.unsaved('ann')).length, 1);
  await saver.finish();
  saver.edit(body('after'));
  await pass(5000);
  assert.equal(await local.get('ann', 'd1'), undefined);
  assert.equal(server.saves, 0);
});

test('a browser that refuses a database says so, and the server keeps all', async () => {
  const refuses: LocalDrafts = { get: () => Promise.reject(new Error('no')), put: () => Promise.reject(new Error('no')), remove: () => Promise.reject(new Error('no')), unsaved: () => Promise.resolve([]) };
  const server = new Server('');
  const saver = await open(server, refuses);
  assert.equal(saver.state.onDevice, false);
  saver.edit(body('only there'));
  await pass(3100);
  assert.equal(server.text.response, 'only there');
  assert.equal(saver.state.onDevice, false);
  await saver.finish();
});

test('any order of typing, outages, other tabs and crashes: the last words of this tab are on the device, on the server, or shown beside theirs', async () => {
  const act = fc.oneof(
    fc.record({ act: fc.constant('type' as const), text: fc.string({ minLength: 1, maxLength: 8 }) }),
    fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 100, max: 5000 }) }),
    fc.record({ act: fc.constantFrom('down' as const, 'up' as const, 'crash' as const, 'lose' as const) }),
    fc.record({ act: fc.constant('other' as const), text: fc.string({ minLength: 1, maxLength: 8 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 14 }), async (acts) => {
      const server = new Server('start');
      const local = freshDevice();
      let saver = await open(server, local);
      let last: string | undefined;
      for (const step of acts) {
        if (step.act === 'type') {
          saver.edit(body((last = step.text)));
          await pass(400);
        } else if (step.act === 'wait') await pass(step.ms);
        else if (step.act === 'down') server.reachable = false;
        else if (step.act === 'up') server.reachable = true;
        else if (step.act === 'lose') server.loseAnswer = !server.loseAnswer;
        else if (step.act === 'other') {
          server.text = body(`other ${step.text}`);
          server.revision++;
          // Following another's text is right when nothing of one's own is unsaved: those words were on the server before.
          if (saver.state.status === 'saved') last = undefined;
        } else {
          saver.close();
          await settle();
          saver = await open(server, local);
        }
        if (last !== undefined) {
          const kept = ((await local.get('ann', 'd1'))?.body as Body | undefined)?.response;
          assert.ok([saver.state.body.response, server.text.response].includes(last) && (kept === last || server.text.response === last), `"${last}" is lost: page "${saver.state.body.response}", server "${server.text.response}", device "${kept}"`);
        }
      }
      saver.close();
    }),
    { numRuns: 40 },
  );
});

/** Started as root in a folder that only root may enter: refused with a remedy that works, and nothing is left. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../src/errors.ts';
import { databaseUser, requireReachable } from '../../src/store/database-user.ts';
import { openWorkspace } from '../../src/store/workspace.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-root-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const skip = process.getuid?.() === 0 ? false : 'only for root';

test('a folder that only root may enter is refused; the command that it names opens the way', { skip }, async () => {
  chmodSync(folder, 0o711);
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const workspace = join(closed, 'far', 'studio');
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const { DATABASE_URL: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [main, 'up', '--workspace', workspace, '--port', '0'], { encoding: 'utf8', env });
  assert.equal(status, 1, stderr);
  assert.ok(stderr.includes(`found ${closed}, which only root may enter`), stderr);
  assert.deepEqual(readdirSync(closed), [], 'nothing is left');

  const remedy = /"(chmod o\+x [^"]+)"/.exec(stderr)?.[1];
  assert.equal(remedy, `chmod o+x ${closed}`);
  execFileSync('sh', ['-c', remedy]);
  await using opened = await openWorkspace(workspace, { databaseUrl: '' });
  assert.equal((await opened.store.pool.query('select 1 as one')).rowCount, 1);
  // The data is the other user's, and nobody else's.
  const data = join(workspace, 'postgres', 'data');
  assert.ok(existsSync(data));
  assert.deepEqual([statSync(data).uid, statSync(join(workspace, 'postgres')).mode & 0o777], [databaseUser()!.uid, 0o700]);
});

test('of several closed folders the outermost is named', { skip }, () => {
  const [outer, inner] = [join(folder, 'outer'), join(folder, 'outer', 'inner')];
  mkdirSync(outer, { mode: 0o700 });
  mkdirSync(inner, { mode: 0o700 });
  const refusal = (): string => {
    try {
      requireReachable(join(inner, 'studio'), databaseUser()!);
      return '';
    } catch (error) {
      assert.ok(error instanceof InputError);
      return error.parts.found;
    }
  };
  assert.equal(refusal(), `${outer}, which only root may enter`);
  chmodSync(outer, 0o711);
  assert.equal(refusal(), `${inner}, which only root may enter`);
  chmodSync(inner, 0o711);
  assert.equal(refusal(), '');
});

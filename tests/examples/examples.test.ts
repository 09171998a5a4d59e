/** Every example runs and meets its own target. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(import.meta.dirname, '../../examples');
for (const file of readdirSync(folder).filter((f) => f.endsWith('.ts'))) {
  test(file, () => {
    const { status, stderr } = spawnSync(process.execPath, [join(folder, file)], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 0, stderr);
  });
}

/** What the tests of file formats share: a folder that goes away, and the assertion that something is refused in words. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { InputError } from '../../src/errors.ts';

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'roslin-formats-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `action` throws an InputError whose message matches, with a place and a remedy. */
export function assertRefuses(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InputError, `InputError, not ${String(error)}`);
    assert.match(error.message, message);
    assert.ok(error.parts.where, 'says where');
    assert.ok(error.parts.remedy, 'says what to do');
    return true;
  });
}

/** True where `action` is refused with an InputError; any other error is thrown on. */
export function isRefused(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof InputError) return true;
    throw error;
  }
}

/** ONNX Runtime's telemetry stays off: it would begin with a log file in the folder for temporary files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './support.ts';

const SCRIPT = `import { loadOrt } from './src/engine/runtime/ort.ts';
try { await loadOrt().InferenceSession.create(new Uint8Array(8)); } catch { console.log('loaded'); }`;

/** Names of the files that a process left in its folders after ONNX Runtime started in it. */
function filesLeft(change: NodeJS.ProcessEnv): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'roslin-telemetry-'));
  try {
    const env = { ...process.env, TMPDIR: folder, HOME: folder, XDG_CACHE_HOME: folder, ...change };
    for (const name of ['CI', 'ORT_DISABLE_TELEMETRY', 'NODE_COMPILE_CACHE'] as const) if (!(name in change)) delete (env as NodeJS.ProcessEnv)[name];
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { cwd: root, env, encoding: 'utf8' });
    assert.equal(stdout, 'loaded\n', stderr);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('nothing of it starts by itself', () => assert.deepEqual(filesLeft({}), []));

const linuxOnly = process.platform === 'linux' ? false : 'where its files are is known for Linux alone';
test('this test would see it', { skip: linuxOnly }, () => {
  // The proxy is nobody: it starts, and reaches no one.
  const nobody = 'http://127.0.0.1:9';
  assert.notDeepEqual(filesLeft({ ORT_DISABLE_TELEMETRY: '0', https_proxy: nobody, HTTPS_PROXY: nobody }), []);
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hubSettings } from '../../src/hub/index.ts';

const home = mkdtempSync(join(tmpdir(), 'roslin-home-'));
after(() => rmSync(home, { recursive: true, force: true }));

const cacheDir = (env: Record<string, string>): string => hubSettings({ env: { HOME: home, ...env } }).cacheDir;
const token = (env: Record<string, string>): string | undefined => hubSettings({ env: { HOME: home, ...env } }).token?.reveal();

test('the cache folder, in the order of Hugging Face\'s tools', () => {
  assert.equal(cacheDir({}), join(home, '.cache', 'huggingface', 'hub'));
  assert.equal(cacheDir({ XDG_CACHE_HOME: '/x' }), '/x/huggingface/hub');
  assert.equal(cacheDir({ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }), '/h/hub');
  assert.equal(cacheDir({ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }), '/old');
  assert.equal(cacheDir({ HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }), '/new');
  assert.equal(cacheDir({ HF_HUB_CACHE: '' , HF_HOME: '' }), join(home, '.cache', 'huggingface', 'hub'));
  assert.equal(cacheDir({ HF_HUB_CACHE: '~/c' }), join(home, 'c'));
  assert.equal(cacheDir({ HF_HUB_CACHE: '$BIG/${SUB}/$NONE', BIG: '/big', SUB: 's' }), '/big/s/$NONE');
  assert.equal(hubSettings({ cacheDir: '/given', env: { HF_HUB_CACHE: '/new' } }).cacheDir, '/given');
});

test('the token: variable, then file; cleaned; explicit and forbidden', () => {
  assert.equal(token({}), undefined);
  assert.equal(token({ HF_TOKEN: ' hf_a\n' }), 'hf_a');
  assert.equal(token({ HUGGING_FACE_HUB_TOKEN: 'hf_old' }), 'hf_old');
  assert.equal(token({ HF_TOKEN: 'hf_new', HUGGING_FACE_HUB_TOKEN: 'hf_old' }), 'hf_new');
  mkdirSync(join(home, '.cache', 'huggingface'), { recursive: true });
  writeFileSync(join(home, '.cache', 'huggingface', 'token'), 'hf_file\n');
  writeFileSync(join(home, 'elsewhere'), 'hf_elsewhere');
  assert.equal(token({}), 'hf_file');
  assert.equal(token({ HF_TOKEN: '  ' }), 'hf_file');
  assert.equal(token({ HF_TOKEN: 'hf_a' }), 'hf_a');
  assert.equal(token({ HF_TOKEN_PATH: '~/elsewhere' }), 'hf_elsewhere');
  assert.equal(token({ HF_HOME: join(home, 'none') }), undefined);
  assert.equal(token({ HF_TOKEN: 'hf_a', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), undefined);
  assert.equal(hubSettings({ token: 'hf_b', env: { HF_HUB_DISABLE_IMPLICIT_TOKEN: 'yes' } }).token?.reveal(), 'hf_b');
  assert.equal(hubSettings({ token: false, env: { HF_TOKEN: 'hf_a' } }).token, undefined);
});

test('endpoint, offline and time limits', () => {
  assert.equal(hubSettings({ env: {} }).endpoint, 'https://huggingface.co');
  assert.equal(hubSettings({ env: { HF_ENDPOINT: 'https://mirror.test/hf/' } }).endpoint, 'https://mirror.test/hf');
  assert.equal(hubSettings({ endpoint: 'http://h:8080', env: { HF_ENDPOINT: 'https://mirror.test' } }).endpoint, 'http://h:8080');
  for (const wrong of ['ftp://x', 'mirror.test', 'https://user:SECRET@x', 'https://x/?key=SECRET', '/x']) {
    assert.throws(() => hubSettings({ env: { HF_ENDPOINT: wrong } }), (error: Error) => error.name === 'UsageError' && !error.message.includes('SECRET'), wrong);
  }
  for (const yes of ['1', 'on', 'YES', 'True']) assert.equal(hubSettings({ env: { HF_HUB_OFFLINE: yes } }).offline, true, yes);
  for (const no of ['', '0', 'no', 'false']) assert.equal(hubSettings({ env: { HF_HUB_OFFLINE: no } }).offline, false, no);
  assert.equal(hubSettings({ env: { TRANSFORMERS_OFFLINE: '1' } }).offline, true);
  assert.equal(hubSettings({ offline: false, env: { HF_HUB_OFFLINE: '1' } }).offline, false);
  const limits = hubSettings({ env: { HF_HUB_DOWNLOAD_TIMEOUT: '30', HF_HUB_ETAG_TIMEOUT: 'x' } });
  assert.deepEqual([limits.stallMs, limits.metadataTimeoutMs], [30_000, 10_000]);
});

test('proxy variables: either case, ALL_PROXY, subdomains in NO_PROXY', () => {
  const { proxyEnv } = hubSettings({ env: { HTTPS_PROXY: 'http://a', https_proxy: 'http://b', ALL_PROXY: 'http://c', NO_PROXY: 'corp.test, .dot.test,10.0.0.1,*' } });
  assert.deepEqual(proxyEnv, { http_proxy: 'http://c', https_proxy: 'http://b', no_proxy: 'corp.test,.corp.test,.dot.test,10.0.0.1,*' });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { RoslinError } from '../../src/errors.ts';
import { hubSettings } from '../../src/hub/index.ts';
import { refuse } from './fake-hub.ts';
import { Bench, bytes, DATA, MODEL, TOKEN } from './setup.ts';

/** The error, after proof that the token is nowhere in it, however it is printed. */
async function failure(action: Promise<unknown>): Promise<RoslinError> {
  const error = await action.then(() => assert.fail('should have failed'), (reason: unknown) => reason);
  assert.ok(error instanceof RoslinError, String(error));
  for (const text of [error.message, inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), String(error.stack)]) {
    assert.ok(!text.includes(TOKEN) && !text.includes('SECRET'), text);
    assert.ok(!text.includes('s3cret'), text);
  }
  return error;
}

describe('the token', () => {
  test('goes to the hub and to no other host, and not back after a detour', async () => {
    await using bench = await Bench.start();
    bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': bytes(500) });
    const detour: string[] = [];
    bench.hub.contentHook = (request, response) => {
      // The content server sends one request back to the hub's own origin.
      if (detour.length > 0) return false;
      detour.push(request.url ?? '');
      response.writeHead(302, { location: `${bench.hub.endpoint}/detour` });
      response.end();
      return true;
    };
    bench.hub.hubHook = (request, response) => {
      if (request.url !== '/detour') return false;
      response.writeHead(307, { location: `${bench.hub.contentEndpoint}${detour[0] ?? ''}` });
      response.end();
      return true;
    };
    const plan = await bench.resolve({ kind: 'model', id: 'o/m', token: TOKEN });
    await bench.download(plan, { token: TOKEN });
    assert.ok(bench.hub.to('content').length >= 2);
    assert.deepEqual(bench.hub.to('content').filter(({ headers }) => headers.authorization !== undefined || headers.cookie !== undefined), []);
    for (const { url, headers } of bench.hub.to('hub')) {
      assert.equal(headers.authorization, url === '/detour' ? undefined : `Bearer ${TOKEN}`, url);
    }
    assert.ok(!JSON.stringify(plan).includes('SECRET') && !inspect(plan, { depth: 9, showHidden: true }).includes('SECRET'));
  });

  test('does not follow to another name of the same machine, or another port', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(10) });
    bench.hub.hubHook = (request, response) => {
      if (!request.headers.host?.startsWith('127.0.0.1')) return false;
      response.writeHead(307, { location: `${bench.hub.endpoint.replace('127.0.0.1', 'localhost')}${request.url}` });
      response.end();
      return true;
    };
    await bench.download(await bench.resolve({ kind: 'dataset', id: DATA, token: TOKEN }), { token: TOKEN });
    const renamed = bench.hub.to('hub').filter(({ headers }) => headers.host?.startsWith('localhost'));
    assert.equal(renamed.length, 2);
    assert.ok(renamed.every(({ headers }) => headers.authorization === undefined));
  });

  test('follows a renamed repository on the same hub', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(10) });
    bench.hub.hubHook = (request, response) => {
      if (!request.url?.includes('/old/')) return false;
      response.writeHead(307, { location: request.url.replace('/old/', '/roslin/').replace('name', 'data') });
      response.end();
      return true;
    };
    const plan = await bench.resolve({ kind: 'dataset', id: 'old/name', token: TOKEN });
    await bench.download(plan, { token: TOKEN });
    assert.deepEqual(readFileSync(plan.entry), bytes(10));
    assert.ok(bench.hub.to('hub').every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`));
  });

  test('redirects without end, and to what is no web address, are refused', async () => {
    await using bench = await Bench.start();
    bench.hub.hubHook = (_request, response) => {
      response.writeHead(302, { location: '/again' });
      response.end();
      return true;
    };
    assert.match((await failure(bench.resolve({ kind: 'model', id: 'o/m' }))).message, /found redirects without end/);
    bench.hub.hubHook = (_request, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' });
      response.end();
      return true;
    };
    assert.match((await failure(bench.resolve({ kind: 'model', id: 'o/m' }))).message, /found a redirect away from https/);
  });

  test('is refused without being shown when it cannot be one', async () => {
    await using bench = await Bench.start();
    const error = await failure(bench.resolve({ kind: 'model', id: 'o/m', token: `${TOKEN} extra` }));
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /expected an access token: one word of printable ASCII, found something else \(not shown\)/);
    assert.equal(inspect(hubSettings({ token: TOKEN, env: {} })).includes('SECRET'), false);
    assert.equal(JSON.stringify(hubSettings({ token: TOKEN, env: {} })).includes('SECRET'), false);
  });
});

describe('refusals', () => {
  const cases: [title: string, status: number, code: string | undefined, said: string | undefined, token: string | false, expected: RegExp][] = [
    ['missing, without token', 401, 'RepoNotFound', undefined, false, /model o\/m: expected a model of that name on http:\/\/127\.0\.0\.1:\d+, found none, or a private one \(401\)\. Check the spelling, capitals included, and that it is a model\. If it is private, put an access token/],
    ['missing, with token', 404, 'RepoNotFound', undefined, TOKEN, /The token that was sent has no access/],
    ['missing, without a code', 404, undefined, undefined, false, /expected a model of that name/],
    ['gated, without token', 401, 'GatedRepo', undefined, false, /expected access to this gated repository, found no access token\. Open http:\/\/127\.0\.0\.1:\d+\/o\/m in a browser, accept its terms, then put an access token of that account in HF_TOKEN/],
    ['gated, with token', 403, 'GatedRepo', undefined, TOKEN, /found an account that has not been let in\. Open .* try again once access is granted/],
    ['revision', 404, 'RevisionNotFound', undefined, false, /expected the revision "v9", found no branch, tag or commit of that name/],
    ['wrong token', 401, undefined, 'Invalid credentials in Authorization header', TOKEN, /expected a valid access token, found one that the hub does not accept/],
    ['disabled', 403, undefined, 'Access to this resource is disabled.', false, /one that the hub has disabled/],
    ['forbidden, token repeated by the server', 403, undefined, `no access for Bearer ${TOKEN}\u001b[31m`.replace('\u001b', '~'), TOKEN, /found a refusal \(403: "no access for Bearer \[token\]/],
    ['trouble', 503, undefined, undefined, false, /found status 503 from http:\/\/127\.0\.0\.1:\d+\/api\/models\/o\/m\/revision\/v9\. The hub has trouble/],
    ['odd', 418, undefined, undefined, false, /found status 418/],
  ];
  for (const [title, status, code, said, token, expected] of cases) {
    test(title, async () => {
      await using bench = await Bench.start();
      bench.hub.hubHook = (_request, response) => {
        refuse(response, status, code, said);
        return true;
      };
      const error = await failure(bench.resolve({ kind: 'model', id: 'o/m', revision: 'v9', token }));
      assert.match(error.message, expected);
      assert.equal(bench.hub.requests.length, status === 503 ? 4 : 1);
    });
  }

  test('a gated repository that lists its files is found out in the plan', async () => {
    await using bench = await Bench.start();
    bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': bytes(10) }, { gated: 'manual' });
    bench.hub.hubHook = (request, response) => {
      if (!request.url?.includes('/resolve/') || request.headers.authorization) return false;
      refuse(response, 401, 'GatedRepo');
      return true;
    };
    assert.match((await failure(bench.resolve({ kind: 'model', id: 'o/m' }))).message, /file model\.safetensors: expected access to this gated repository, found no access token/);
    assert.equal((await bench.resolve({ kind: 'model', id: 'o/m', token: TOKEN })).gated, 'manual');
  });

  test('a file that is gone', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(10) });
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    bench.hub.repos[0]?.files.splice(0);
    assert.match((await failure(bench.download(plan))).message, /file data\.jsonl: expected the file, found none of that name at revision "main"/);
  });

  test('no hub at all', async () => {
    await using bench = await Bench.start();
    const error = await failure(bench.resolve({ kind: 'model', id: 'o/m', endpoint: 'http://127.0.0.1:1', token: TOKEN }));
    assert.match(error.message, /expected an answer from 127\.0\.0\.1:1, found a refused connection\. Check HF_ENDPOINT/);
  });
});

describe('proxy', () => {
  test('HTTP_PROXY and ALL_PROXY are used, NO_PROXY is kept to', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(10) });
    const through: [string, string | undefined][] = [];
    const proxy = http.createServer((request, response) => {
      const url = new URL(request.url ?? '');
      through.push([`${url.host}${url.pathname}`, request.headers['proxy-authorization']]);
      const forward = http.request(`${bench.hub.endpoint}${url.pathname}${url.search}`, { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      forward.end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const endpoint = 'http://hub.example.test';
      for (const env of [{ HTTP_PROXY: `http://user:word@${address}` }, { ALL_PROXY: `http://${address}` }]) {
        const plan = await bench.resolve({ kind: 'dataset', id: DATA, endpoint, env });
        assert.equal(plan.files.length, 1);
      }
      assert.deepEqual(through, [
        ['hub.example.test/api/datasets/roslin/data/revision/main', `Basic ${Buffer.from('user:word').toString('base64')}`],
        ['hub.example.test/api/datasets/roslin/data/revision/main', undefined],
      ]);
      // Named in NO_PROXY, it is looked for directly, and does not exist.
      const env = { HTTP_PROXY: `http://user:SECRET@${address}`, NO_PROXY: 'other.test, example.test' };
      assert.match((await failure(bench.resolve({ kind: 'dataset', id: DATA, endpoint, env, retry: { tries: 1 } }))).message, /name/);
      assert.equal(through.length, 2);
      const wrong = await failure(bench.resolve({ kind: 'dataset', id: DATA, endpoint, env: { HTTP_PROXY: 'http://user:SECRET@:bad:port' } }));
      assert.match(wrong.message, /HTTP_PROXY or HTTPS_PROXY: expected a proxy address/);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

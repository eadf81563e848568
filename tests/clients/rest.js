// Forms, raw bodies, parts, codings and entity tags by Node's fetch, which decodes what comes by itself.
//
// node rest.js BASE
'use strict';
const assert = require('node:assert/strict');
const zlib = require('node:zlib');

const base = process.argv[2];

function kept(content, kind = null, name = null) {
  const sum = content.reduce((sum, byte, at) => sum + (at + 1) * byte, 0);
  return { length: content.length, sum, kind, name };
}

async function ask(path, options, status) {
  const reply = await fetch(base + path, options);
  const body = Buffer.from(await reply.arrayBuffer());
  assert.equal(reply.status, status, body.toString().slice(0, 500));
  return { body, headers: reply.headers };
}

const json = async (path, options) => JSON.parse((await ask(path, options, 200)).body);

async function forms() {
  const fields = [['title', 'a & b=é'], ['tags', 'x'], ['tags', 'y,z'], ['sold', 'true'], ['author.name', 'N']];
  const book = { title: 'a & b=é', tags: ['x', 'y,z'], pages: null, author: { name: 'N' }, sold: true };
  const encoded = await json('/books', { method: 'POST', body: new URLSearchParams(fields) });
  assert.deepEqual(encoded, { ...book, cover: null, pictures: [] });
  const picture = Buffer.alloc(80000, 'picture');
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  form.append('cover', new Blob([picture], { type: 'image/png' }), 'é.png');
  form.append('pictures', new Blob(['1']));
  const parts = await json('/books', { method: 'POST', body: form });
  assert.deepEqual(parts, { ...book, cover: kept(picture, 'image/png', 'é.png'), pictures: [kept(Buffer.from('1'))] });
}

async function raw() {
  const text = Buffer.from('some text, again and again; '.repeat(3000));
  const expected = kept(text, 'text/plain', 'a b');
  const put = (body, more = {}) =>
    json('/kept/a%20b', { method: 'PUT', body, duplex: 'half', headers: { 'content-type': 'text/plain', ...more } });
  assert.deepEqual(await put(text), expected);
  const pieces = new ReadableStream({
    start(pieces) {
      for (let at = 0; at < text.length; at += 1000) pieces.enqueue(text.subarray(at, at + 1000));
      pieces.close();
    },
  });
  assert.deepEqual(await put(pieces), expected);
  assert.deepEqual(await put(zlib.gzipSync(text), { 'content-encoding': 'gzip' }), expected);
  assert.deepEqual(await put(zlib.brotliCompressSync(text), { 'content-encoding': 'br' }), expected);
}

async function parts() {
  const path = '/files/a?bytes=100000&kind=image/png';
  const whole = await ask(path, {}, 200);
  assert.equal(whole.headers.get('content-type'), 'image/png');
  assert.equal(whole.body.length, 100000);
  let come = Buffer.alloc(0);
  while (come.length < 100000) {
    const range = `bytes=${come.length}-${come.length + 29999}`;
    const part = await ask(path, { headers: { range, 'if-range': whole.headers.get('etag') } }, 206);
    come = Buffer.concat([come, part.body]);
  }
  assert.ok(come.equals(whole.body));
  const none = await ask(path, { headers: { range: 'bytes=100000-' } }, 416);
  assert.equal(none.headers.get('content-range'), 'bytes */100000');
}

async function codings() {
  const tags = new Set();
  let rows;
  for (const coding of ['identity', 'gzip', 'br']) {
    const headers = { 'accept-encoding': coding };
    const reply = await ask('/rows/2000', { headers }, 200);
    assert.equal(reply.headers.get('content-encoding') ?? 'identity', coding);
    rows ??= reply.body;
    assert.ok(reply.body.equals(rows) && JSON.parse(rows).length === 2000, coding);
    const etag = reply.headers.get('etag');
    tags.add(etag);
    const again = await ask('/rows/2000', { headers: { ...headers, 'if-none-match': etag } }, 304);
    assert.equal(again.body.length, 0);
  }
  assert.equal(tags.size, 3);
  // By itself it says what it decodes.
  assert.ok((await ask('/rows/2000', {}, 200)).headers.get('content-encoding'));
}

(async () => {
  await forms();
  await raw();
  await parts();
  await codings();
  console.log('well');
})();

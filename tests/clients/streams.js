// Streams by Node's fetch, both ways, and by the EventSource of npm, which comes again by itself.
//
// node streams.js BASE
'use strict';
const assert = require('node:assert/strict');
const { EventSource } = require('eventsource');

const base = process.argv[2];

/// The items of a reply in lines, as they come.
async function* lines(reply) {
  let rest = '';
  for await (const text of reply.body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    for (const line of parts) yield JSON.parse(line);
  }
  assert.equal(rest, '');
}

async function all(items) {
  const got = [];
  for await (const item of items) got.push(item);
  return got;
}

const ask = (path, options = {}) => fetch(base + path, { headers: { accept: 'application/x-ndjson' }, ...options });

/// Sends what is made, piece by piece, as the body.
function send(path, made, type) {
  const body = ReadableStream.from(made).pipeThrough(new TextEncoderStream());
  return ask(path, { method: 'POST', body, duplex: 'half', headers: { 'content-type': type } });
}

async function bodies() {
  async function* numbers() {
    for (let n = 1; n <= 1000; n += 1) {
      if (n % 100 === 0) await new Promise(setImmediate);
      yield `${n}\n`;
    }
  }
  const sum = await send('/v1/sum', numbers(), 'application/x-ndjson');
  assert.deepEqual(await sum.json(), { result: 500500 });
  // Items are cut anywhere.
  const array = await send('/v1/sum', ['[1, 2', '0, ', '300', ']'], 'application/json');
  assert.deepEqual(await array.json(), { result: 321 });
  const bad = await send('/v1/sum', ['1\n2\n', '"three"\n'], 'application/x-ndjson');
  assert.equal(bad.status, 400);
  assert.match((await bad.json()).detail, /expected an integer, got "three"/);
}

async function replies() {
  const counted = await ask('/v1/count?from=10&to=20&step=2&pause_ms=1');
  assert.deepEqual(await all(lines(counted)), [10, 12, 14, 16, 18, 20]);
  const got = [];
  const cut = async () => {
    for await (const item of lines(await ask('/feed/3/fail'))) got.push(item.n);
  };
  // The last words are no item, and the body is torn.
  await assert.rejects(cut);
  assert.deepEqual(got, [1, 2, 3]);
  await assert.rejects((await ask('/feed/3/fail')).text(), /terminated/);
  const leaves = new AbortController();
  const hangs = await ask('/feed/1/hang', { signal: leaves.signal });
  assert.deepEqual((await lines(hangs).next()).value, { n: 1 });
  leaves.abort();
}

/// What comes by events until that type.
function events(path, until) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(base + path);
    const got = [];
    const take = (event) => {
      got.push([event.type, event.lastEventId, JSON.parse(event.data)]);
      if (event.type !== until) return;
      source.close();
      resolve(got);
    };
    for (const type of ['message', 'end', 'tick']) source.addEventListener(type, take);
    // One that is an event has data; others say that it will come again.
    source.addEventListener('error', (event) => {
      if (event.data === undefined) return;
      source.close();
      reject(new Error(event.data));
    });
  });
}

async function sources() {
  const counted = await events('/v1/count?from=10&to=14&step=2', 'end');
  assert.deepEqual(counted.map(([type, , data]) => [type, data]), [['message', 10], ['message', 12], ['message', 14], ['end', {}]]);
  await assert.rejects(events('/feed/3/fail', 'end'), /there are no more numbers/);
  // It comes again after its `retry`, and says the id of the last event.
  const again = new EventSource(`${base}/events?kind=tick&seq=7&pause=10&text=a`);
  const texts = [];
  await new Promise((resolve) => {
    again.addEventListener('message', (event) => {
      texts.push(JSON.parse(event.data).text);
      if (texts.length === 2) resolve();
    });
  });
  again.close();
  assert.deepEqual(texts, ['', '7']);
}

(async () => {
  await bodies();
  await replies();
  await sources();
  console.log('well');
})().catch((error) => { console.error(error); process.exit(1); });

// A client over HTTP/2 by Node: many requests on one connection, bodies, one that is given up, both versions of TLS.
//
//   node http2.js PORT CA

const fs = require('node:fs');
const http2 = require('node:http2');

const [port, ca] = process.argv.slice(2);
const authority = `https://a.example:${port}`;

function connect(options) {
  const lookup = (host, { all }, done) => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));
  return http2.connect(authority, { lookup, ...options });
}

function ask(session, head, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request(head, { endStream: body === undefined });
    let status;
    let text = '';
    stream.on('response', (fields) => { status = fields[':status']; });
    stream.on('data', (part) => { text += part; });
    stream.on('end', () => resolve({ status, text }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

function must(what, holds) {
  if (!holds) throw new Error(JSON.stringify(what));
}

async function version(name) {
  const session = connect({ ca: fs.readFileSync(ca), minVersion: name, maxVersion: name });
  // Not a stream more than the gateway lets it open, which its settings say.
  await new Promise((resolve, reject) => { session.once('remoteSettings', resolve); session.once('error', reject); });
  must(session.alpnProtocol, session.alpnProtocol === 'h2' && session.socket.getProtocol() === name);
  const sums = Array.from({ length: 300 }, (_, n) => ask(session, { ':path': `/v1/calc/add?a=${n}&b=2` }));
  for (const [n, answer] of (await Promise.all(sums)).entries()) {
    must(answer, answer.status === 200 && answer.text === `{"result":${n + 2}}`);
  }
  const text = JSON.stringify('x'.repeat(300000));
  const post = { ':method': 'POST', ':path': '/v1/echo', 'content-type': 'application/json' };
  const echo = await ask(session, post, text);
  must(echo.status, echo.status === 200 && echo.text === text);
  const slow = session.request({ ':path': '/v1/delay/60000' });
  const closed = new Promise((resolve) => { slow.on('close', resolve); });
  slow.close(http2.constants.NGHTTP2_CANCEL);
  await closed;
  await new Promise((resolve, reject) => { session.ping((error) => (error ? reject(error) : resolve())); });
  const after = await ask(session, { ':path': '/nowhere' });
  must(after, after.status === 404 && JSON.parse(after.text).code === 'not_found');
  await new Promise((resolve) => { session.close(resolve); });
}

async function main() {
  await version('TLSv1.2');
  await version('TLSv1.3');
  const stranger = connect({});
  const refused = await new Promise((resolve) => { stranger.on('connect', () => resolve('nothing')); stranger.on('error', (error) => resolve(error.code)); });
  must(refused, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'SELF_SIGNED_CERT_IN_CHAIN'].includes(refused));
  console.log('well');
}

main().catch((error) => { console.error(error); process.exit(1); });

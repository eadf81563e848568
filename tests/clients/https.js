// A client over TLS by Node: connections that are kept, and a session that goes on.
//
//   node https.js PORT CA

const fs = require('node:fs');
const https = require('node:https');

const [port, ca] = process.argv.slice(2);
const base = { host: '127.0.0.1', port, servername: 'a.example', headers: { host: 'a.example' }, ca: fs.readFileSync(ca) };

function ask(agent, options = {}) {
  return new Promise((resolve, reject) => {
    const request = https.get({ ...base, agent, path: '/v1/calc/add?a=1&b=2', timeout: 30000, ...options }, (reply) => {
      let body = '';
      const socket = reply.socket;
      reply.on('data', (part) => { body += part; });
      reply.on('end', () => resolve({ status: reply.statusCode, body, reused: socket.isSessionReused(), version: socket.getProtocol() }));
      reply.on('error', reject);
    });
    request.on('error', reject);
  });
}

function must(what, holds) {
  if (!holds) throw new Error(JSON.stringify(what));
}

async function main() {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const kept = new https.Agent({ keepAlive: true, maxSockets: 1, minVersion: version, maxVersion: version });
    for (let n = 0; n < 3; n += 1) {
      const answer = await ask(kept);
      must(answer, answer.status === 200 && answer.body === '{"result":3}' && answer.version === version);
    }
    kept.destroy();
    const each = new https.Agent({ keepAlive: false, minVersion: version, maxVersion: version });
    await ask(each);
    const answer = await ask(each);
    must(answer, answer.status === 200 && answer.reused);
  }
  const refused = await ask(undefined, { ca: undefined }).then(() => false, (error) => error.code);
  must(refused, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'SELF_SIGNED_CERT_IN_CHAIN'].includes(refused));
  console.log('well');
}

main().catch((error) => { console.error(error); process.exit(1); });

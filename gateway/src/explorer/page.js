'use strict';
// Shows an OpenAPI document, and tries its operations where they are of this origin. Every text is put in as a text: nothing of a document
// becomes markup.

const where = document.querySelector('meta[name=document]').content;
const root = document.getElementById('all');
const token = document.getElementById('token');

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function soft(tag, text, kind) {
  const element = make(tag, text);
  element.className = kind;
  return element;
}

function headers() {
  return token.value ? { authorization: token.value } : {};
}

/// What a reference leads to.
function found(whole, schema) {
  const path = schema && schema.$ref;
  if (!path) return schema;
  return path.slice(2).split('/').reduce((at, name) => at && at[name.replace(/~1/g, '/').replace(/~0/g, '~')], whole);
}

/// A type in a few words.
function short(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'any';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const any = schema.anyOf || schema.oneOf || schema.allOf;
  if (any && !schema.type) return any.map(short).join(schema.allOf ? ' & ' : ' | ');
  if (schema.type === 'array') return schema.items ? `${short(schema.items)}[]` : 'array';
  return [].concat(schema.type || 'any').join(' | ');
}

/// A value to begin with.
function example(whole, schema, depth = 0) {
  const one = found(whole, schema);
  if (!one || depth > 6) return null;
  if (one.examples) return one.examples[0];
  if (one.default !== undefined) return one.default;
  if (one.const !== undefined) return one.const;
  if (one.enum) return one.enum[0];
  const any = one.anyOf || one.oneOf;
  if (any && !one.type) return example(whole, any[0], depth + 1);
  const type = [].concat(one.type || 'null')[0];
  switch (type) {
    case 'object': {
      const value = {};
      for (const name of one.required || []) value[name] = example(whole, (one.properties || {})[name], depth + 1);
      return value;
    }
    case 'array': {
      if (one.prefixItems) return one.prefixItems.map((item) => example(whole, item, depth + 1));
      const count = Math.min(Math.max(one.minItems || 0, 1), 3);
      return Array.from({ length: count }, () => example(whole, one.items, depth + 1));
    }
    case 'integer': case 'number': return one.minimum > 0 ? one.minimum : 0;
    case 'boolean': return false;
    case 'string': return one.format === 'uuid' ? '00000000-0000-0000-0000-000000000000' : one.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'text';
    default: return null;
  }
}

function schemaOf(whole, schema) {
  const all = make('div');
  const seen = new Set();
  const waiting = [schema];
  while (waiting.length && seen.size < 40) {
    const one = waiting.shift();
    const text = JSON.stringify(one, null, 2);
    all.append(make('pre', text));
    for (const [, name] of text.matchAll(/"\$ref": "#\/components\/schemas\/([^"]+)"/g)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const named = whole.components.schemas[name];
      all.append(make('h3', name));
      all.append(make('pre', JSON.stringify(named, null, 2)));
      waiting.push(...Object.values(named.properties || {}));
    }
  }
  return all;
}

/// The server of an operation, and whether it can be tried from here.
function server(whole, operation) {
  const given = ((operation.servers || whole.servers || [])[0] || { url: '/' }).url;
  const url = new URL(given.replace(/\{[^}]*\}/g, 'www'), location.href);
  return { url, here: url.origin === location.origin };
}

function parameters(operation, inputs) {
  const table = make('table');
  for (const one of operation.parameters || []) {
    const input = make('input');
    input.setAttribute('aria-label', `${one.name} (${one.in})`);
    if (one.schema && one.schema.default !== undefined) input.placeholder = String(one.schema.default);
    inputs.push({ one, input });
    const schema = one.schema || ((one.content || {})['application/json'] || {}).schema;
    const about = make('td', '', soft('div', one.description || '', 'text'));
    const name = make('td', '', make('code', one.name + (one.required ? ' *' : '')));
    table.append(make('tr', '', name, make('td', `${one.in}: ${short(schema)}`), make('td', '', input), about));
  }
  return table;
}

/// The request as it stands in the fields.
function asked(base, path, method, inputs, body) {
  const url = new URL(base);
  const fields = {};
  let filled = path;
  for (const { one, input } of inputs) {
    if (one.in === 'path') filled = filled.replace(`{${one.name}}`, encodeURIComponent(input.value));
    else if (input.value === '') continue;
    else if (one.in === 'query') url.searchParams.append(one.name, input.value);
    else if (one.in === 'header') fields[one.name] = input.value;
  }
  url.pathname = url.pathname.replace(/\/$/, '') + filled;
  if (body && body.area.value) fields['content-type'] = body.type;
  return { url, method: method.toUpperCase(), headers: { ...headers(), ...fields }, body: body && body.area.value ? body.area.value : undefined };
}

function curl(request) {
  const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;
  const words = ['curl', '-i', '-X', request.method];
  for (const [name, value] of Object.entries(request.headers)) words.push('-H', quoted(`${name}: ${value}`));
  if (request.body) words.push('--data-binary', quoted(request.body));
  return [...words, quoted(request.url.href)].join(' ');
}

function trying(whole, path, method, operation, inputs, body) {
  const { url, here } = server(whole, operation);
  const told = make('pre', '');
  told.hidden = true;
  const say = (text) => { told.hidden = false; told.textContent = text; };
  const shown = make('button', 'as curl');
  shown.onclick = () => say(curl(asked(url, path, method, inputs, body)));
  if (!here) return make('p', `It can be tried at ${url.origin}. `, shown, told);
  const button = make('button', 'try it');
  button.onclick = async () => {
    const { url: target, ...request } = asked(url, path, method, inputs, body);
    say('…');
    try {
      const reply = await fetch(target, request);
      const fields = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      say(`${reply.status} ${reply.statusText}\n${fields}\n\n`);
      const reader = reply.body && reply.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let left = 200000; reader && left > 0;) {
        const { done, value } = await reader.read();
        if (done) break;
        left -= value.length;
        told.textContent += value;
      }
      if (reader) await reader.cancel();
    } catch (error) {
      say(String(error));
    }
  };
  return make('p', '', button, ' ', shown, told);
}

function operation(whole, path, method, one) {
  const title = make('summary', '', make('b', method.toUpperCase()), make('code', path), ` ${one.summary || ''}`);
  if (one.deprecated) title.className = 'old';
  const details = make('details', '', title);
  details.id = one.operationId;
  // Made when somebody looks: there may be thousands.
  details.addEventListener('toggle', () => {
    if (details.children.length > 1) return;
    const inputs = [];
    details.append(soft('p', one.description || '', 'text'));
    details.append(parameters(one, inputs));
    let body = null;
    const [type, media] = Object.entries((one.requestBody || {}).content || {})[0] || [];
    if (type) {
      const area = make('textarea');
      area.setAttribute('aria-label', 'body');
      if (type.includes('json')) area.value = JSON.stringify(example(whole, media.schema), null, 2);
      body = { type, area };
      details.append(make('h3', `Body: ${type}`), area, make('details', '', make('summary', 'schema'), schemaOf(whole, media.schema)));
    }
    details.append(trying(whole, path, method, one, inputs, body));
    for (const [status, reply] of Object.entries(one.responses)) {
      const inner = make('details', '', make('summary', `${status}: ${reply.description.split('\n')[0]}`));
      for (const [media, content] of Object.entries(reply.content || {})) {
        inner.append(make('h3', `${media}: ${short(content.schema)}`), schemaOf(whole, content['x-item-schema'] || content.schema));
      }
      details.append(inner);
    }
  });
  return details;
}

function show(whole) {
  document.title = whole.info.title;
  const parts = [make('h1', whole.info.title), soft('p', whole.info.description || '', 'text')];
  const groups = new Map();
  for (const [path, item] of Object.entries(whole.paths)) {
    for (const [method, one] of Object.entries(item)) {
      const group = (one.tags || [''])[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(operation(whole, path, method, one));
    }
  }
  for (const [group, operations] of [...groups].sort(([one], [other]) => (one < other ? -1 : 1))) {
    parts.push(make('h2', group || 'without a method'), ...operations);
  }
  root.replaceChildren(...parts);
  // /explore#orders.quote opens that operation.
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted && root.contains(wanted)) {
    wanted.open = true;
    wanted.scrollIntoView();
  }
}

async function load() {
  try {
    const reply = await fetch(where, { headers: headers() });
    if (!reply.ok) throw new Error(`${where}: ${reply.status}${reply.status === 401 ? ': it asks who you are; write Authorization above' : ''}`);
    show(await reply.json());
  } catch (error) {
    root.replaceChildren(make('p', String(error)));
  }
}

token.addEventListener('change', load);
load();

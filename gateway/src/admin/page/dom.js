// How elements are made. Whatever is shown goes in as text: bytes of strangers never become markup.

/** An element with attributes (or listeners: `onclick`) and children: nodes and texts; what is null is left out. */
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for pictures. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/** Puts other children there, unless they look the same: then the focus and what is selected stay. */
export function put(element, ...children) {
  const next = flat(children);
  const now = [...element.childNodes];
  if (next.length === now.length && next.every((node, at) => node.isEqualNode(now[at]))) return;
  element.replaceChildren(...next);
}

/** How something stands: a sign and a word, so that nobody needs the colour. */
export function badge(kind, word) {
  const signs = { ok: "✓", warn: "!", bad: "✕", calm: "·" };
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, signs[kind] ?? "·"), ` ${word}`);
}

/** A list of terms; pairs without a value are left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value?.length !== 0);
  return h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}

/** Text as it is, such as JSON or the words of a compiler. */
export function verbatim(text) {
  return h("pre", { tabindex: "0" }, text);
}

/** What stands between backticks is code. */
export function ticks(text) {
  return text.split("`").map((part, at) => (at % 2 ? h("code", null, part) : part));
}

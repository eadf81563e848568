// What is in force and until when: certificates; and how it came so: the last reloads with what they changed.

import { ask } from "./ask.js";
import { badge, h, put, ticks, verbatim } from "./dom.js";
import { Pager, Table, filter } from "./table.js";
import { ago, count, date, number } from "./words.js";

const ROWS = 50;
const SOON_DAYS = 14;

export function certificates(known) {
  const get = (name) => known.params.get(name) ?? "";
  const left = (one) => one.expires_in_days;
  const kind = (one) => (left(one) < 0 || one.last_error ? "bad" : left(one) < SOON_DAYS ? "warn" : "ok");
  const table = new Table({
    caption: "Certificates in force, those that expire first at the top",
    columns: [
      { id: "names", label: "Names", cell: (one) => [one.names.join(", "), one.default ? h("span", { class: "means" }, "the default") : null] },
      { id: "expires", label: "Expires", cell: (one) => badge(kind(one), left(one) < 0 ? "has expired" : `in ${count(left(one), "day")}`) },
      { id: "at", label: "At", cell: (one) => date(one.expires_at * 1000) },
      { id: "file", label: "File", cell: (one) => [h("code", null, one.cert), h("span", { class: "means" }, one.defined)] },
      { id: "since", label: "In force", cell: (one) => ago(one.since * 1000) },
      { id: "error", label: "What is wrong with its files now", cell: (one) => (one.last_error ? verbatim(one.last_error) : "") },
    ],
    key: (one) => `${one.defined} ${one.sha256}`,
    detail: (one) => verbatim(JSON.stringify(one, null, 2)),
    empty: "No certificate is in force: no listener that speaks TLS is served.",
  });
  const pager = new Pager(ROWS, (offset) => known.set({ offset }), "certificate");
  const tickets = h("p", { class: "note" });

  async function refresh() {
    const page = await ask("/certificates");
    const words = get("q").toLowerCase();
    const found = page.certificates.filter((one) => [...one.names, ...one.covers, one.cert].join(" ").toLowerCase().includes(words));
    found.sort((one, other) => one.expires_at - other.expires_at);
    const offset = known.offset();
    table.update(found.slice(offset, offset + ROWS));
    pager.update({ offset, found: found.length, total: page.certificates.length });
    const { keys, file, last_error: error } = page.ticket_keys;
    put(tickets, keys ? `Sessions are resumed by ${count(keys, "ticket key")}${file ? ` of ${file}` : ""}${error ? `; ${error}` : ""}.` : "");
  }

  const element = h("section", null, h("h1", null, "Certificates"),
    h("div", { class: "tools" }, filter("Filter by name or file", () => get("q"), (q) => known.set({ q, offset: null }))), pager.element, table.element, tickets);
  return { title: "Certificates", element, refresh };
}

const KINDS = { ok: ["ok", "taken"], unchanged: ["calm", "nothing new"], failed: ["bad", "refused"], waited: ["warn", "waits"] };

export function reloads(known) {
  const list = h("ol", { class: "reloads" });
  let seen = null;

  async function refresh() {
    const page = await ask("/reloads");
    const text = JSON.stringify(page);
    // Words such as "3 s ago" change; what was opened must stay open.
    if (text === seen) return;
    seen = text;
    put(list, page.reloads.map((one) => reload(one)));
  }

  const element = h("section", null, h("h1", null, "Reloads"),
    h("p", { class: "note" }, "The last twenty, the latest first. Tables with a mistake change nothing."), list);
  return { title: "Reloads", element, refresh };
}

function reload(one) {
  const [kind, word] = KINDS[one.outcome] ?? ["calm", one.outcome];
  const nothing = one.outcome === "ok" ? h("p", { class: "note" }, "Nothing of routes and backends has changed.") : null;
  const changes = one.changes.length
    ? h("ul", null, one.changes.map((change) => h("li", null, ticks(change))), one.changes_left_out ? h("li", null, `and ${number(one.changes_left_out)} more`) : null)
    : nothing;
  const many = one.changes.length > 6;
  return h("li", null,
    h("h2", null, badge(kind, word), " ", h("time", { datetime: new Date(one.at * 1000).toISOString() }, date(one.at * 1000))),
    h("p", { class: "note" }, `by ${one.cause}; tables ${one.hash.slice(0, 12) || "none"}${one.times > 1 ? `; ${number(one.times)} times` : ""}`),
    one.why ? verbatim(one.why) : null,
    many ? h("details", null, h("summary", null, count(one.changes.length + one.changes_left_out, "change")), changes) : changes);
}

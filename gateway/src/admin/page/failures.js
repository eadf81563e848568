// The last failures, each with its reason and what that means; and all reasons that there are.

import { ask } from "./ask.js";
import { badge, facts, h, put, ticks, verbatim } from "./dom.js";
import { Pager, Table, choice, filter } from "./table.js";
import { number, ofStatus, span, timeOfDay } from "./words.js";

const ROWS = 50;

/** Records, the latest first, with keys that stay theirs. Ids may come twice, for a client may choose them: then the oldest is the first. */
export function keyed(records) {
  const seen = new Map();
  return [...records].reverse().map((record) => {
    const name = `${record.time} ${record.request_id}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { ...record, key: `${name} ${seen.get(name)}` };
  }).reverse();
}

/** What a row says of a failure. */
export function failureColumns(known, brief) {
  return [
    { id: "time", label: "Time", cell: (one) => h("time", { datetime: one.time, title: one.time }, timeOfDay(one.time)) },
    { id: "status", label: "Status", cell: (one) => badge(ofStatus(one.status), one.status) },
    { id: "reason", label: "Reason", cell: (one) => [h("a", { href: `#/reasons?q=${one.reason ?? ""}`, title: known.means(one.reason) }, h("code", null, one.reason ?? "")), brief ? null : h("span", { class: "means" }, ticks(known.means(one.reason)))] },
    { id: "route", label: "Route", cell: (one) => [h("code", null, `${one.method ?? ""} ${one.route === "none" ? one.path ?? "no route" : one.route ?? ""}`)] },
    { id: "why", label: "Why", cell: (one) => one.why ?? "" },
    { id: "to", label: "Backend", cell: (one) => [one.backend ? h("a", { href: `#/instances?backend=${one.backend}` }, one.backend) : null, one.version ? ` ${one.version}` : null] },
    { id: "took", label: "Took", numeric: true, cell: (one) => (one.duration_ms === undefined ? "" : span(one.duration_ms / 1000)) },
  ];
}

export function failures(known) {
  const get = (name) => known.params.get(name) ?? "";
  const set = (name) => (value) => known.set({ [name]: value, offset: null });
  const table = new Table({
    caption: "The last requests that failed, the latest first",
    columns: failureColumns(known),
    key: (one) => one.key,
    detail: (one) => record(known, one),
    empty: "No failure that is kept is like that.",
  });
  const pager = new Pager(ROWS, (offset) => known.set({ offset }), "failure");
  const reasonsSeen = h("select", { onchange: (event) => set("reason")(event.target.value) });
  const note = h("p", { class: "note" });
  let [all, seen, dropped] = [[], null, 0];

  async function refresh() {
    const { failures_kept: kept } = known.overview;
    if (kept !== seen) {
      const page = await ask("/failures");
      all = keyed(page.failures);
      dropped = page.dropped;
      seen = kept;
    }
    const names = [...new Set([...all.map((one) => one.reason), get("reason")])].filter(Boolean).sort();
    put(reasonsSeen, h("option", { value: "" }, "all"), names.map((name) => h("option", { value: name }, name)));
    reasonsSeen.value = get("reason");
    const found = all.filter((one) => matches(one, get("q"), get("reason"), get("status")));
    const offset = known.offset();
    table.update(found.slice(offset, offset + ROWS));
    pager.update({ offset, found: found.length, total: all.length });
    if (dropped) put(note, `${number(dropped)} were not kept, because too many came at once.`);
  }

  const status = choice("Status", [["", "all"], ["4xx", "4xx"], ["5xx", "5xx"]], () => get("status"), set("status"));
  const element = h("section", null, h("h1", null, "Failures"),
    h("div", { class: "tools" }, filter("Filter by any word of a failure", () => get("q"), set("q")), h("label", { class: "choice" }, "Reason ", reasonsSeen), status),
    pager.element, table.element, note);
  return { title: "Failures", element, refresh };
}

function matches(one, words, reason, status) {
  if (reason && one.reason !== reason) return false;
  if (status && Math.floor(one.status / 100) !== Number(status[0])) return false;
  if (!words) return true;
  const text = JSON.stringify(one).toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** All that is known of a failure. */
function record(known, one) {
  const { key, tries, ...rest } = one;
  const meaning = known.reasons.get(one.reason);
  const first = ["time", "request_id", "client", "identity", "method", "route", "path", "status", "reason", "why"];
  const names = [...first.filter((name) => name in rest), ...Object.keys(rest).filter((name) => !first.includes(name))];
  return [
    meaning ? h("p", { class: "lead" }, h("code", null, one.reason), " – ", ticks(meaning.means)) : null,
    facts(names.map((name) => [name, text(rest[name])])),
    tries?.length ? attempts(tries) : null,
    h("p", { class: "note" }, "On the gateway's machine this says more: ", h("code", null, `callgate why ${word(one.request_id ?? "")}`)),
  ];
}

/** A word for a shell. Clients choose ids, and people paste what they read. */
const word = (text) => (/^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const text = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : value === undefined ? null : String(value));

function attempts(tries) {
  if (!Array.isArray(tries)) return verbatim(text(tries));
  const head = ["Endpoint", "After", "Took", "End"].map((word) => h("th", { scope: "col" }, word));
  const rows = tries.map((one) => h("tr", null, h("td", null, h("code", null, one.endpoint)), h("td", null, span((one.at_ms ?? 0) / 1000)),
    h("td", null, one.ms === undefined ? "" : span(one.ms / 1000)), h("td", null, one.end)));
  return h("table", { class: "small" }, h("caption", null, "Attempts"), h("thead", null, h("tr", null, head)), h("tbody", null, rows));
}

export function reasons(known) {
  const get = () => known.params.get("q") ?? "";
  const table = new Table({
    caption: "The closed list of reasons: a request that fails has one of them, the same in the problem, in the log and in metrics",
    columns: [
      { id: "name", label: "Reason", cell: (one) => h("a", { href: `#/failures?reason=${one.name}` }, h("code", null, one.name)) },
      { id: "means", label: "What it means", cell: (one) => ticks(one.means) },
      { id: "status", label: "Status", numeric: true, cell: (one) => (one.name === "method_failed" ? "its own" : one.status) },
      { id: "code", label: "Code", cell: (one) => h("code", null, one.name === "method_failed" ? "its own" : one.code) },
      { id: "all", label: "Since start", numeric: true, cell: (one) => number(known.overview.totals.failures[one.name] ?? 0) },
    ],
    key: (one) => one.name,
    empty: "No reason is called so.",
  });
  const refresh = () => {
    const words = get().toLowerCase().split(/\s+/);
    const all = [...known.reasons.values()];
    table.update(all.filter((one) => words.every((word) => `${one.name} ${one.means} ${one.status} ${one.code}`.toLowerCase().includes(word))));
  };
  const element = h("section", null, h("h1", null, "Reasons"),
    h("div", { class: "tools" }, filter("Filter reasons", get, (q) => known.set({ q }))), table.element);
  return { title: "Reasons", element, refresh };
}

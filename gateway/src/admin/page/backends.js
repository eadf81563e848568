// The backends and their instances: who is well and who is not, and why.

import { ask } from "./ask.js";
import { badge, facts, h, put, verbatim } from "./dom.js";
import { RowRates, quantile } from "./rates.js";
import { Pager, Table, choice, filter } from "./table.js";
import { latency, number, rate, severity, share, span } from "./words.js";

const ROWS = 50;

const all = (calls) => Object.values(calls).reduce((sum, n) => sum + n, 0);
const failed = (calls) => all(calls) - (calls.ok ?? 0);
/** Codes by which an instance tells of its own failure; others are answers to clients that ask for nonsense. */
const OWN = ["unavailable", "internal", "unknown", "data_loss", "deadline_exceeded", "lost", "refused"];
const ofItsOwn = (calls) => OWN.reduce((sum, name) => sum + (calls[name] ?? 0), 0);

/** The ends of calls, the most frequent first. */
const ends = (calls) => Object.entries(calls).sort((one, other) => other[1] - one[1]).map(([name, n]) => `${name} ${number(n)}`).join(", ");

export function backends(known) {
  const get = (name) => known.params.get(name) ?? "";
  const set = (name) => (value) => known.set({ [name]: value, offset: null });
  const rates = new RowRates();
  const took = (part) => (one) => latency(quantile(part, one.durations, known.overview.bounds));
  const table = new Table({
    caption: "Backends; what they count is since the start, times are those of the routes that call them",
    columns: [
      { id: "name", label: "Backend", sort: "name", cell: (one) => h("a", { href: `#/instances?backend=${one.name}` }, one.name) },
      { id: "well", label: "Well", sort: "unwell", numeric: true, cell: (one) => badge(one.well === one.instances ? "ok" : one.well ? "warn" : "bad", `${number(one.well)} of ${number(one.instances)}`) },
      { id: "now", label: "Now", numeric: true, cell: (one) => rate(rates.of(one.name, 0)) },
      { id: "calls", label: "Calls", numeric: true, sort: "calls", cell: (one) => number(all(one.calls)) },
      { id: "failed", label: "Not ok", numeric: true, sort: "failed", cell: (one) => (failed(one.calls) ? share(failed(one.calls), all(one.calls)) : "") },
      { id: "flight", label: "In flight", numeric: true, cell: (one) => number(one.in_flight) },
      { id: "half", label: "p50", numeric: true, cell: took(0.5) },
      { id: "p90", label: "p90", numeric: true, cell: took(0.9) },
      { id: "p99", label: "p99", numeric: true, cell: took(0.99) },
    ],
    key: (one) => one.name,
    detail: (one) => facts([
      ["balance", one.balance],
      ["calls by end", ends(one.calls)],
      ["retries", ends(one.retries)],
      ["not retried, for the budget was used up", one.retry_budget_exhausted || null],
      ["calls that wait for an instance", one.held || null],
      ["calls that wait for room", one.queued || null],
      ["adaptive limit", one.limit],
      ["its files", one.errors.map((error) => h("p", null, error))],
      ["more", h("a", { href: `#/routes?backend=${one.name}` }, "its routes")],
    ]),
    sorted: { get: () => get("sort"), set: set("sort") },
    empty: "No backend is like that.",
  });
  const pager = new Pager(ROWS, (offset) => known.set({ offset }), "backend");

  async function refresh() {
    const page = await ask("/overview/backends", { q: get("q"), state: get("state"), sort: get("sort"), offset: get("offset"), limit: ROWS });
    rates.take(page.backends, (one) => one.name, (one) => [all(one.calls)], known.overview.totals.at);
    table.update(page.backends);
    pager.update(page);
  }

  const state = choice("Show", [["", "all"], ["unwell", "that are not well"]], () => get("state"), set("state"));
  const element = h("section", null, h("h1", null, "Backends"),
    h("div", { class: "tools" }, filter("Filter by name", () => get("q"), set("q")), state), pager.element, table.element);
  return { title: "Backends", element, refresh };
}

const STATES = ["ok", "slow_start", "shunned", "probing", "ejected", "silent", "not_ready", "connecting", "unreachable", "draining"];

export function instances(known) {
  const get = (name) => known.params.get(name) ?? "";
  const set = (name) => (value) => known.set({ [name]: value, offset: null });
  const rates = new RowRates();
  const key = (one) => `${one.backend} ${one.address}`;
  const table = new Table({
    caption: "Instances, how each stands, and why",
    columns: [
      { id: "backend", label: "Backend", sort: "backend", cell: (one) => one.backend },
      { id: "address", label: "Address", sort: "address", cell: (one) => h("code", null, one.address) },
      { id: "state", label: "State", sort: "state", numeric: false, cell: (one) => badge(severity(one.state), one.state) },
      { id: "why", label: "Why", cell: (one) => one.why ?? "" },
      { id: "now", label: "Now", numeric: true, cell: (one) => rate(rates.of(key(one), 0)) },
      { id: "calls", label: "Calls", numeric: true, sort: "calls", cell: (one) => number(all(one.calls)) },
      { id: "failed", label: "Failed", numeric: true, sort: "failed", cell: (one) => (ofItsOwn(one.calls) ? h("span", { class: "bad" }, share(ofItsOwn(one.calls), all(one.calls))) : "") },
      { id: "flight", label: "In flight", numeric: true, sort: "in_flight", cell: (one) => number(one.in_flight) },
      { id: "latency", label: "Answers in", numeric: true, sort: "latency", cell: (one) => (one.latency_ms === null ? "–" : span(one.latency_ms / 1000)) },
    ],
    key,
    detail,
    sorted: { get: () => get("sort"), set: set("sort") },
    empty: "No instance is like that.",
  });
  const pager = new Pager(ROWS, (offset) => known.set({ offset }), "instance");
  const only = h("p", { class: "only" });

  async function refresh() {
    const asked = { q: get("q"), backend: get("backend"), state: get("state"), sort: get("sort"), offset: get("offset"), limit: ROWS };
    const page = await ask("/overview/instances", asked);
    rates.take(page.instances, key, (one) => [all(one.calls)], known.overview.totals.at);
    table.update(page.instances);
    pager.update(page);
    const clear = () => known.set({ backend: null, offset: null });
    if (get("backend") !== only.dataset.of) {
      only.dataset.of = get("backend");
      only.replaceChildren();
      if (get("backend")) only.append("Of backend ", h("strong", null, get("backend")), " ", h("button", { type: "button", class: "plain", onclick: clear }, "show those of all"));
    }
  }

  const states = [["", "all"], ["unwell", "that are not well"], ...STATES.map((state) => [state, state])];
  const element = h("section", null, h("h1", null, "Instances"),
    h("div", { class: "tools" }, filter("Filter by backend, address or identity", () => get("q"), set("q")), choice("State", states, () => get("state"), set("state"))),
    only, pager.element, table.element);
  return { title: "Instances", element, refresh };
}

/** All that the port says of an instance. */
async function detail(one) {
  const page = await ask("/backends", { backend: one.backend, endpoint: one.address });
  const [found] = page.backends.flatMap((backend) => backend.endpoints);
  if (!found) return h("p", { class: "note" }, "The instance is no longer there.");
  const place = h("div");
  put(place, facts([
    ["identity", one.identity],
    ["services", one.services.join(", ")],
    ["weight", found.weight],
    ["zone", found.zone],
    ["connections", found.connections],
    ["calls by end", ends(one.calls)],
    ["as each worker sees it", found.health.map((health, at) => h("p", null, `worker ${at}: ${health.state}, ${health.share_percent} % of its share, ${health.failures} of ${health.of_calls} calls failed`))],
    ["last error", found.error],
    ["certificate", found.tls?.subject],
  ]), h("details", null, h("summary", null, "All of it, with its methods"), verbatim(JSON.stringify(found, null, 2))));
  return place;
}

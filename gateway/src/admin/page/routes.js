// The routes in force: what each does, how often it is asked, how long it takes, and what does not fit.

import { ask } from "./ask.js";
import { badge, facts, h, verbatim } from "./dom.js";
import { RowRates, quantile } from "./rates.js";
import { Pager, Table, choice, filter } from "./table.js";
import { latency, number, rate, share } from "./words.js";

const ROWS = 50;

export function routes(known) {
  const get = (name) => known.params.get(name) ?? "";
  const set = (name) => (value) => known.set({ [name]: value, offset: null });
  const rates = new RowRates();
  const sum = (one) => one.answers.reduce((all, n) => all + n, 0);
  const took = (part) => (one) => latency(quantile(part, one.durations, known.overview.bounds));
  const table = new Table({
    caption: "Routes; what they count is since the start, Now is of the last minute",
    columns: [
      { id: "match", label: "Route", sort: "match", cell: (one) => [h("code", null, one.match), one.unfit.length ? [" ", badge("bad", "does not fit")] : null] },
      { id: "does", label: "Does", cell: (one) => h("code", null, one.does) },
      { id: "backend", label: "Backend", sort: "backend", cell: (one) => one.backends.map((name, at) => [at ? ", " : "", h("a", { href: `#/instances?backend=${name}` }, name)]) },
      { id: "now", label: "Now", numeric: true, cell: (one) => rate(rates.of(one.match, 0)) },
      { id: "requests", label: "Requests", numeric: true, sort: "requests", cell: (one) => number(sum(one)) },
      { id: "refused", label: "4xx", numeric: true, sort: "refused", cell: (one) => (one.answers[2] ? share(one.answers[2], sum(one)) : "") },
      { id: "failed", label: "5xx", numeric: true, sort: "failed", cell: (one) => (one.answers[3] ? h("span", { class: "bad" }, share(one.answers[3], sum(one))) : "") },
      { id: "half", label: "p50", numeric: true, sort: "mean", cell: took(0.5) },
      { id: "p90", label: "p90", numeric: true, cell: took(0.9) },
      { id: "p99", label: "p99", numeric: true, cell: took(0.99) },
    ],
    key: (one) => one.match,
    detail,
    sorted: { get: () => get("sort"), set: set("sort") },
    empty: "No route is like that.",
  });
  const pager = new Pager(ROWS, (offset) => known.set({ offset }), "route");

  async function refresh() {
    const asked = { q: get("q"), backend: get("backend"), state: get("state"), sort: get("sort"), offset: get("offset"), limit: ROWS };
    const page = await ask("/overview/routes", asked);
    rates.take(page.routes, (one) => one.match, (one) => [sum(one)], known.overview.totals.at);
    table.update(page.routes);
    pager.update(page);
  }

  const state = choice("Show", [["", "all"], ["failing", "with failures (5xx)"], ["unfit", "that do not fit"]], () => get("state"), set("state"));
  const element = h("section", null, h("h1", null, "Routes"),
    h("div", { class: "tools" }, filter("Filter by path, method, call, backend or file", () => get("q"), set("q")), state),
    pager.element, table.element);
  return { title: "Routes", element, refresh };
}

/** All that the port says of a route. */
async function detail(one) {
  const page = await ask("/routes", { offset: one.at, limit: 1 });
  const route = page.routes.find((other) => other.match === one.match);
  if (!route) return h("p", { class: "note" }, "The tables have changed; the route is no longer there.");
  const limits = route.rate_limits.map((limit) => `${limit.policy}: ${limit.rate} by ${limit.by}`);
  return [
    one.unfit.map((why) => h("p", { class: "lead" }, badge("bad", "does not fit"), ` ${why}`)),
    facts([
      ["defined", h("code", null, route.defined)],
      ["steps", route.steps.join(" → ")],
      ["timeout", route.timeout_ms === undefined ? null : `${number(route.timeout_ms)} ms`],
      ["idempotent", route.idempotent === undefined ? null : route.idempotent ? "yes" : "no"],
      ["retry", route.retry ? `${route.retry.attempts} attempts, on ${route.retry.on.join(", ") || "nothing"}` : null],
      ["rate limits", limits.join("; ")],
      ["rules", (route.rules ?? []).map((rule) => h("code", { class: "line" }, rule))],
      ["in flight", route.in_flight === null ? null : `${number(route.in_flight)} of at most ${number(route.max_in_flight)}`],
    ]),
    h("details", null, h("summary", null, "All of it"), verbatim(JSON.stringify(route, null, 2))),
  ];
}

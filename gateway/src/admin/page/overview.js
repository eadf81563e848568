// Is everything well, what fails now and why, and who is not well: all that is seen at once.

import { ask } from "./ask.js";
import { traffic } from "./chart.js";
import { badge, h, put, ticks } from "./dom.js";
import { failureColumns, keyed } from "./failures.js";
import { quantile } from "./rates.js";
import { Table, choice } from "./table.js";
import { count, latency, number, rate, severity, share } from "./words.js";

const LAST_FAILURES = 8;
/** Shares of requests that fail by us or by instances, from which on it is told. */
const FAILING = { warn: 0.001, bad: 0.05 };

export function overview(known) {
  const [verdict, tiles, chart] = [h("section", { class: "verdict", "aria-live": "polite" }), h("div", { class: "tiles" }), h("div")];
  const window = () => Number(known.params.get("over") ?? 300);
  const over = choice("Over the last", [["60", "minute"], ["300", "5 minutes"], ["600", "10 minutes"]], () => String(window()), (value) => known.set({ over: value }));
  const by = counted("Reasons, the most frequent first", "No request has failed since the start.", ({ name }) =>
    [h("a", { href: `#/failures?reason=${name}` }, h("code", null, name)), h("span", { class: "means" }, ticks(known.means(name)))]);
  const turnedAway = counted("Connections that came to no request", "", ({ name }) =>
    [h("code", null, name), h("span", { class: "means" }, "A connection that came to no request.")]);
  const last = new Table({ caption: "The last failures", columns: failureColumns(known, true), key: (one) => one.key, empty: "No request has failed lately." });
  const unwell = unwellTable();
  const more = h("p", { class: "after" });
  let failuresSeen = null;
  let unwellShown = [];
  let lastShown = [];

  async function refresh() {
    const all = known.totals.over(window());
    put(verdict, told(known));
    put(tiles, figures(known, all));
    put(chart, traffic(known.totals.steps(10, 60), chart.clientWidth));
    by.update(rows(known.overview.totals.failures, all?.failures, known.totals.over(60), "failures"));
    const away = rows(known.overview.totals.turned_away, all?.turnedAway, known.totals.over(60), "turnedAway");
    turnedAway.update(away);
    turnedAway.element.hidden = !away.length;
    const { failures_kept: kept } = known.overview;
    if (kept !== failuresSeen) {
      lastShown = keyed((await ask("/failures", { limit: LAST_FAILURES })).failures);
      failuresSeen = kept;
    }
    last.update(lastShown);
    const sick = known.overview.problems.some((one) => one.see.startsWith("instances"));
    const asked = sick ? await ask("/overview/instances", { state: "unwell", sort: "-state", limit: 10 }) : { instances: [], found: 0 };
    unwellShown = asked.instances;
    unwell.update(unwellShown);
    put(more, asked.found > unwellShown.length ? h("a", { href: "#/instances?state=unwell" }, `all ${number(asked.found)} that are not well`) : "");
  }

  const element = h("div", { class: "overview" }, verdict,
    h("section", { "aria-label": "Traffic" }, h("div", { class: "row" }, h("h2", null, "Traffic"), over), tiles, chart),
    h("div", { class: "two" },
      h("section", { "aria-labelledby": "why" }, h("h2", { id: "why" }, "Why requests fail"), by.element, turnedAway.element),
      h("section", null, h("h2", null, "Instances that are not well"), unwell.element, more)),
    h("section", { "aria-label": "Last failures" }, h("div", { class: "row" }, h("h2", null, "Last failures"), h("a", { href: "#/failures" }, "all that are kept")), last.element));
  return { title: "Overview", element, refresh };
}

/** All that is wrong: what the gateway knows, and that requests fail now. */
export function problems(known) {
  const all = [...failing(known, known.totals.over(60)), ...known.overview.problems];
  return [...all.filter((one) => one.severity === "error"), ...all.filter((one) => one.severity !== "error")];
}

/** The verdict: what is wrong, or that nothing is. */
function told(known) {
  const all = problems(known);
  if (!all.length) {
    const { backends, routes } = known.overview.tables;
    const instances = Object.values(known.overview.instances).reduce((all, n) => all + n, 0);
    return [h("h1", { class: "ok" }, badge("ok", "All is well")),
      h("p", null, `${count(routes, "route")}, ${count(backends, "backend")}, ${count(instances, "instance")}; nothing fails by the gateway or by an instance.`)];
  }
  const bad = all.some((one) => one.severity === "error");
  const left = known.overview.problems_left_out;
  return [h("h1", { class: bad ? "bad" : "warn" }, badge(bad ? "bad" : "warn", count(all.length + left, "problem"))),
    h("ul", { class: "problems" }, all.map((one) => h("li", { class: one.severity === "error" ? "bad" : "warn" },
      h("strong", null, one.what), " ", h("span", { class: "why" }, one.why), " ",
      one.see === "overview" ? null : h("a", { href: `#/${one.see}` }, one.see.split("?")[0])))),
    left ? h("p", { class: "note" }, `and ${number(left)} more`) : null];
}

/** Requests that fail now, as a problem. */
function failing(known, minute) {
  if (!minute) return [];
  const [all, failed] = [minute.answers.reduce((sum, n) => sum + n, 0), minute.answers[3]];
  const part = all ? failed / all : 0;
  if (part < FAILING.warn) return [];
  const ours = Object.entries(minute.failures).filter(([name]) => known.reasons.get(name)?.status >= 500);
  const reasons = ours.sort((one, other) => other[1] - one[1]).slice(0, 3).map(([name]) => name);
  return [{
    severity: part >= FAILING.bad ? "error" : "warning",
    what: `${share(failed, all)} of requests fail by the gateway or an instance (5xx)`,
    why: `in the last minute; most often ${reasons.join(", ") || "by statuses that routes or methods give"}`,
    see: "failures?status=5xx",
  }];
}

function figures(known, all) {
  const { overview } = known;
  const sum = all?.answers.reduce((sum, n) => sum + n, 0) ?? 0;
  const second = (n) => (all?.seconds ? n / all.seconds : null);
  const took = (part) => latency(quantile(part, all?.durations, overview.bounds));
  const instances = Object.entries(overview.instances);
  const [wellOnes, allOnes] = [instances.filter(([state]) => ["ok", "calm"].includes(severity(state))), instances]
    .map((some) => some.reduce((sum, [, n]) => sum + n, 0));
  const tile = (name, value, kind, href) => h("div", { class: `tile ${kind ?? ""}` }, h("span", { class: "name" }, name),
    h(href ? "a" : "span", { class: "value", href }, value));
  return [
    tile("Requests", rate(second(sum))),
    tile("Failed (5xx)", sum ? share(all.answers[3], sum) : "–", all?.answers[3] ? "bad" : "", "#/failures?status=5xx"),
    tile("Refused (4xx)", sum ? share(all.answers[2], sum) : "–", "", "#/failures?status=4xx"),
    tile("Half within", took(0.5)),
    tile("90 % within", took(0.9)),
    tile("99 % within", took(0.99)),
    tile("In flight", number(overview.in_flight)),
    tile("Connections", number(overview.connections.open)),
    tile("Instances well", `${number(wellOnes)} of ${number(allOnes)}`, wellOnes < allOnes ? "warn" : "", "#/instances"),
  ];
}

/** A table of counters with names. */
function counted(caption, empty, cell) {
  return new Table({
    caption,
    columns: [
      { id: "name", label: "Reason", cell },
      { id: "now", label: "Now", numeric: true, cell: ({ perSecond }) => rate(perSecond) },
      { id: "lately", label: "Lately", numeric: true, cell: ({ lately }) => number(lately) },
      { id: "all", label: "Since start", numeric: true, cell: ({ all }) => number(all) },
    ],
    key: ({ name }) => name,
    empty,
  });
}

/** Its rows: what has happened lately comes first. */
function rows(totals, lately, minute, kind) {
  const all = Object.entries(totals).map(([name, all]) => ({
    name,
    all,
    lately: lately?.[name] ?? 0,
    perSecond: minute?.seconds ? (minute[kind][name] ?? 0) / minute.seconds : null,
  }));
  return all.sort((one, other) => other.lately - one.lately || other.all - one.all).slice(0, 12);
}

function unwellTable() {
  return new Table({
    caption: "Instances that do not get their share of calls",
    columns: [
      { id: "instance", label: "Instance", cell: (one) => [h("a", { href: `#/instances?backend=${one.backend}` }, one.backend), " ", h("code", null, one.address)] },
      { id: "state", label: "State", cell: (one) => badge(severity(one.state), one.state) },
      { id: "why", label: "Why", cell: (one) => one.why ?? "" },
    ],
    key: (one) => `${one.backend} ${one.address}`,
    empty: "All instances are well, or drained on purpose.",
  });
}

// The page as a whole: which part is shown, asking again and again, what is said of that, the token, the colours.

import { NoToken, ask, hasToken, setToken, token as tokenNow } from "./ask.js";
import { badge, h, put } from "./dom.js";
import { Totals } from "./rates.js";
import { ago, count } from "./words.js";
import { overview, problems } from "./overview.js";
import { failures, reasons } from "./failures.js";
import { routes } from "./routes.js";
import { backends, instances } from "./backends.js";
import { certificates, reloads } from "./changes.js";

const PARTS = { overview, failures, routes, backends, instances, certificates, reloads, reasons };
const EVERY_MS = 2000;
const AFTER_FAILURE_MS = 5000;
/** Without being asked for so long, the port's own notes say what has happened. */
const GAP_MS = 15000;

const at = (id) => document.getElementById(id);

/** What all parts know. */
const known = {
  overview: null,
  totals: new Totals(),
  reasons: new Map(),
  params: new URLSearchParams(),
  /** Changes what the address says of the part that is shown, and shows that. */
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") known.params.delete(name);
      else known.params.set(name, value);
    }
    const search = known.params.toString();
    history.replaceState(null, "", `#/${shown.name}${search ? `?${search}` : ""}`);
    refresh();
  },
  /** The first row of those that are shown, where the address says a sound one. */
  offset: () => Math.max(0, Number.parseInt(known.params.get("offset") ?? "0", 10) || 0),
  /** What a reason means. */
  means: (reason) => known.reasons.get(reason)?.means ?? "",
};

let shown = { name: null, part: null };
let lastAsked = 0;
let lastHeard = 0;
let lost = null;
let timer = 0;

let turning = false;
let due = false;

/** Looks again and again, once at a time, however often it is told to. */
async function turn() {
  clearTimeout(timer);
  due = true;
  if (turning) return;
  turning = true;
  let goesOn = true;
  while (due && goesOn) {
    due = false;
    goesOn = await look();
  }
  turning = false;
  if (goesOn && !document.hidden) timer = setTimeout(turn, lost ? AFTER_FAILURE_MS : EVERY_MS);
}

/** Asks for what all parts need, and has the part that is shown ask for its own. Says whether there is more to look at. */
async function look() {
  const token = tokenNow();
  try {
    if (Date.now() - lastAsked > GAP_MS) known.totals.begin((await ask("/overview/history")).totals);
    if (!known.reasons.size) known.reasons = new Map((await ask("/reasons")).reasons.map((one) => [one.name, one]));
    lastAsked = Date.now();
    const heard = await ask("/overview");
    known.overview = heard;
    known.totals.add(heard.totals);
    lost = null;
    lastHeard = Date.now();
    state();
    await refresh();
  } catch (error) {
    if (error instanceof NoToken) {
      // Another one may have come meanwhile.
      const isOther = token !== tokenNow();
      if (!isOther) askForToken();
      return isOther;
    }
    lost = error;
    state();
  }
  return true;
}

let refreshing = null;
let again = false;

/** Has the part that is shown ask for its own, once at a time. */
async function refresh() {
  if (!known.overview || !shown.part) return;
  again = Boolean(refreshing);
  if (refreshing) return refreshing;
  do {
    again = false;
    refreshing = refreshed(shown.part);
    await refreshing;
    refreshing = null;
  } while (again && shown.part);
}

async function refreshed(part) {
  try {
    await part.refresh();
    put(part.problem);
  } catch (error) {
    if (error instanceof NoToken) askForToken();
    else put(part.problem, `This part cannot be shown: ${error.message}`);
  }
}

/** Shows the part that the address names. */
function show() {
  const [name, search] = location.hash.replace(/^#\/?/, "").split("?");
  const part = PARTS[name] ? name : "overview";
  known.params = new URLSearchParams(search ?? "");
  shown = { name: part, part: PARTS[part](known) };
  shown.part.problem = h("p", { class: "note", role: "status" });
  at("main").replaceChildren(shown.part.problem, shown.part.element);
  document.title = `${shown.part.title} – Callgate`;
  navigation();
  refresh();
}

function navigation() {
  const links = Object.keys(PARTS).map((name) => {
    const word = name[0].toUpperCase() + name.slice(1);
    return h("li", null, h("a", { href: `#/${name}`, "aria-current": shown.name === name ? "page" : null }, word));
  });
  put(at("nav"), links);
  // The bar may be wider than the window.
  at("nav").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

/** In a word, at the head of every part. */
function state() {
  const all = known.overview ? problems(known) : [];
  const worst = all.some((one) => one.severity === "error") ? "bad" : all.length ? "warn" : "ok";
  const word = all.length ? count(all.length + known.overview.problems_left_out, "problem") : "all is well";
  put(at("state"), known.overview ? h("a", { href: "#/overview" }, badge(lost ? "bad" : worst, lost ? "no answer" : word)) : null);
  const since = lastHeard ? `; shown is what was known ${ago(lastHeard)}` : "";
  put(at("live"), lost ? `The port does not answer (${lost.message})${since}` : h("span", { class: "pulse" }, "live"));
  const { version, workers, tables } = known.overview ?? {};
  put(at("foot"), version ? `Callgate ${version}, ${count(workers, "worker")}, tables ${tables.hash.slice(0, 12)}, taken ${ago(tables.taken_at * 1000)}` : "");
  at("forget").hidden = !hasToken();
}

function askForToken() {
  if (!shown.part && at("token")) return;
  const input = h("input", { type: "password", id: "token", name: "token", autocomplete: "current-password", required: true });
  const wrong = hasToken() ? h("p", { role: "alert" }, "The port does not know that token.") : null;
  setToken(null);
  const form = h("form", {
    class: "token",
    onsubmit: (event) => {
      event.preventDefault();
      setToken(input.value.trim());
      show();
      turn();
    },
  }, h("h1", null, "This port asks for a token"), wrong,
    h("p", null, "The token for reading is enough. It is kept for this tab only, until the tab is closed."),
    h("label", { for: "token" }, "Token"), input, h("button", { type: "submit" }, "Look"));
  known.overview = null;
  shown = { name: null, part: null };
  at("main").replaceChildren(form);
  put(at("state"), "");
  put(at("live"), "");
  navigation();
  input.focus();
}

function colours() {
  const select = at("theme");
  select.value = document.documentElement.dataset.theme ?? "auto";
  select.addEventListener("change", () => {
    const chosen = select.value === "auto" ? null : select.value;
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    try {
      if (chosen) localStorage.setItem("callgate-theme", chosen);
      else localStorage.removeItem("callgate-theme");
    } catch {
      // It holds as long as the page does.
    }
  });
}

/** A slash goes to the box that filters. */
function keys(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const box = document.querySelector("main input[type=search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
at("forget").addEventListener("click", () => {
  setToken(null);
  known.overview = null;
  turn();
});
addEventListener("hashchange", () => {
  show();
  // Before anything is known, as where a token is asked for, nothing else looks.
  if (!known.overview) turn();
});
addEventListener("keydown", keys);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) turn();
});
colours();
show();
turn();

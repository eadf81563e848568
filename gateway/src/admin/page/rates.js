// Rates and latencies out of counters: the page sees counters at several times, and what has happened between is their difference.

const KEPT_MS = 10 * 60 * 1000;
const MOST = 500;

/** Counters of all traffic at several times, the oldest first. */
export class Totals {
  constructor() {
    this.all = [];
  }

  /** Takes what the gateway has noted before the page was opened, or while nobody looked. */
  begin(notes) {
    const first = notes[0]?.at ?? Infinity;
    const newer = this.all.filter((one) => one.at > (notes.at(-1)?.at ?? 0));
    this.all = [...this.all.filter((one) => one.at < first), ...notes, ...newer];
    this.trim();
  }

  add(totals) {
    if (totals.at > (this.all.at(-1)?.at ?? 0)) this.all.push(totals);
    this.trim();
  }

  trim() {
    const from = (this.all.at(-1)?.at ?? 0) - KEPT_MS;
    this.all = this.all.filter((one) => one.at >= from).slice(-MOST);
  }

  /** What has happened in the last so many seconds, as far as it was seen. */
  over(seconds) {
    const last = this.all.at(-1);
    if (!last) return null;
    let from = this.all.findLastIndex((one) => one.at <= last.at - seconds * 1000);
    if (from < 0) from = 0;
    const sum = { seconds: 0, answers: [0, 0, 0, 0], failures: {}, turnedAway: {}, durations: null };
    for (let at = from + 1; at < this.all.length; at++) {
      const step = difference(this.all[at - 1], this.all[at]);
      if (!step) continue;
      sum.seconds += step.seconds;
      sum.answers = sum.answers.map((n, place) => n + step.answers[place]);
      for (const [reason, n] of Object.entries(step.failures)) sum.failures[reason] = (sum.failures[reason] ?? 0) + n;
      for (const [why, n] of Object.entries(step.turnedAway)) sum.turnedAway[why] = (sum.turnedAway[why] ?? 0) + n;
      sum.durations = sum.durations ? addDurations(sum.durations, step.durations) : step.durations;
    }
    return sum;
  }

  /** The same in steps of so many seconds, for a chart: the oldest first, each with where it ends. */
  steps(seconds, count) {
    const last = this.all.at(-1);
    if (!last) return [];
    const end = Math.floor(last.at / (seconds * 1000)) * seconds * 1000;
    const steps = Array.from({ length: count }, (_, at) => ({
      at: end - (count - 1 - at) * seconds * 1000,
      seconds: 0,
      answers: [0, 0, 0, 0],
    }));
    for (let at = 1; at < this.all.length; at++) {
      const middle = (this.all[at - 1].at + this.all[at].at) / 2;
      const step = steps.find((one) => middle <= one.at && middle > one.at - seconds * 1000);
      const between = difference(this.all[at - 1], this.all[at]);
      if (!step || !between) continue;
      step.seconds += between.seconds;
      step.answers = step.answers.map((n, place) => n + between.answers[place]);
    }
    return steps;
  }
}

const grown = (before, after) => Math.max(0, after - (before ?? 0));

/** What has happened between; null where that is not known: counters go with their routes, and with their process. */
function difference(before, after) {
  if (after.answers.some((n, at) => n < before.answers[at])) return null;
  return {
    seconds: (after.at - before.at) / 1000,
    answers: after.answers.map((n, at) => n - before.answers[at]),
    failures: grownEach(before.failures, after.failures),
    turnedAway: grownEach(before.turned_away, after.turned_away),
    durations: lessDurations(after.durations, before.durations),
  };
}

/** Of counters with names: those that have grown, and by how much. */
const grownEach = (before, after) => Object.fromEntries(
  Object.entries(after).map(([name, n]) => [name, grown(before[name], n)]).filter(([, n]) => n > 0));

const addDurations = (one, other) => ({
  buckets: one.buckets.map((n, at) => n + other.buckets[at]),
  count: one.count + other.count,
});

const lessDurations = (after, before) => ({
  buckets: after.buckets.map((n, at) => grown(before.buckets[at], n)),
  count: grown(before.count, after.count),
});

/** The duration that this part of all stays below, out of buckets with those upper bounds; null where there is none. */
export function quantile(part, durations, bounds) {
  if (!durations?.count) return null;
  const wanted = part * durations.count;
  let below = 0;
  for (const [at, n] of durations.buckets.entries()) {
    if (n && below + n >= wanted) {
      if (at === 0) return { seconds: bounds[0], below: true };
      const from = bounds[at - 1];
      return { seconds: from + ((bounds[at] - from) * (wanted - below)) / n };
    }
    below += n;
  }
  return { seconds: bounds.at(-1), above: true };
}

/** Counters of rows, of which a page is seen at a time: what has happened since each was first seen, within some minutes. */
export class RowRates {
  constructor() {
    this.seen = new Map();
  }

  /** Takes rows as they are now; forgets those that are not among them. */
  take(rows, key, counters, now) {
    const next = new Map();
    for (const row of rows) {
      // What was seen at the same time, as when a filter changes, is seen anew.
      const before = (this.seen.get(key(row)) ?? []).filter((one) => one.at > now - 60000 && one.at < now);
      next.set(key(row), [...before, { at: now, counters: counters(row) }].slice(-40));
    }
    this.seen = next;
  }

  /** How often a second a counter has grown; null before it was seen twice. */
  of(key, counter) {
    const all = this.seen.get(key);
    if (!all || all.length < 2) return null;
    const [first, last] = [all[0], all.at(-1)];
    return grown(first.counters[counter], last.counters[counter]) / ((last.at - first.at) / 1000);
  }
}

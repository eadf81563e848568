// How numbers, times and states are written.

const plain = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dated = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });

export const number = (n) => (Math.abs(n) < 100000 ? plain.format(n) : short.format(n));

/** A rate, in so many a second or a minute. */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return "–";
  if (perSecond === 0) return "0";
  if (perSecond >= 100) return `${number(Math.round(perSecond))}/s`;
  if (perSecond >= 0.95) return `${perSecond.toFixed(1)}/s`;
  return `${(perSecond * 60).toPrecision(2).replace(/\.0$/, "")}/min`;
}

/** A part of a whole. */
export function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %`;
}

/** Seconds, as a latency: `{ seconds, below, above }`. */
export function latency(quantile) {
  if (!quantile) return "–";
  if (quantile.above) return `> ${span(quantile.seconds)}`;
  if (quantile.below) return `< ${span(quantile.seconds)}`;
  return span(quantile.seconds);
}

/** Seconds, as a short time. */
export function span(seconds) {
  if (seconds < 0.001) return `${(seconds * 1000).toPrecision(1)} ms`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(seconds < 0.1 ? 2 : 3))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

/** How long ago a point in time was, in milliseconds since 1970. */
export const ago = (at, now = Date.now()) => {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  return seconds < 1 ? "now" : `${span(seconds)} ago`;
};

export const timeOfDay = (at) => clock.format(new Date(at));
export const date = (at) => dated.format(new Date(at));

/** One of them, or so many. */
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** How bad a state of an instance is, for its badge. */
export function severity(state) {
  if (state === "ok") return "ok";
  if (state === "slow_start" || state === "draining") return "calm";
  if (state === "connecting" || state === "probing" || state === "shunned") return "warn";
  return "bad";
}

/** How bad an HTTP status is. */
export function ofStatus(status) {
  if (status >= 500) return "bad";
  return status >= 400 ? "warn" : "ok";
}

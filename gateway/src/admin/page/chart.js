// How traffic went: answers in steps of time, one kind upon the other.

import { h, svg } from "./dom.js";
import { rate, timeOfDay } from "./words.js";

const [HEIGHT, LEFT, BOTTOM] = [150, 48, 18];

/** From the bottom up: which places of `answers`, how it is called, and its class. */
const KINDS = [
  { places: [0, 1], word: "well", name: "ok" },
  { places: [2], word: "refused (4xx)", name: "warn" },
  { places: [3], word: "failed (5xx)", name: "bad" },
];

const perSecond = (step, places) => (step.seconds ? places.reduce((sum, at) => sum + step.answers[at], 0) / step.seconds : 0);

/** The chart of such steps, in an element of so many pixels. */
export function traffic(steps, pixels) {
  const width = Math.max(260, pixels - 26);
  const highest = Math.max(...steps.map((step) => perSecond(step, [0, 1, 2, 3])), 0);
  const top = nice(highest);
  const column = (width - LEFT) / Math.max(steps.length, 1);
  const y = (value) => (HEIGHT - BOTTOM) * (1 - value / top) + 4;
  const bars = steps.map((step, at) => {
    let below = 0;
    return KINDS.map(({ places, name }) => {
      const value = perSecond(step, places);
      const bar = value
        ? svg("rect", {
            class: name,
            x: (LEFT + at * column + 0.5).toFixed(2),
            y: y(below + value).toFixed(2),
            width: Math.max(column - 1, 0.5).toFixed(2),
            height: Math.max(y(below) - y(below + value), 1).toFixed(2),
          })
        : null;
      below += value;
      return bar;
    });
  });
  const lines = [0, 0.5, 1].map((part) => [
    svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(part * top), y2: y(part * top) }),
    svg("text", { class: "axis", x: LEFT - 6, y: y(part * top) + 4, "text-anchor": "end" }, part ? rate(part * top) : "0"),
  ]);
  const times = steps.length
    ? [
        svg("text", { class: "axis", x: LEFT, y: HEIGHT + 2 }, timeOfDay(steps[0].at)),
        svg("text", { class: "axis", x: width, y: HEIGHT + 2, "text-anchor": "end" }, timeOfDay(steps.at(-1).at)),
      ]
    : null;
  const label = `Answers over the last ten minutes; at most ${rate(highest)}`;
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT + 6}`, role: "img", "aria-label": label }, lines, bars, times);
  const legend = KINDS.map(({ word, name }) => h("span", { class: `key ${name}` }, word));
  return h("figure", null, picture, h("figcaption", null, "Answers over the last ten minutes ", legend));
}

/** The next number that people like as the end of an axis. */
function nice(value) {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * unit).find((step) => step >= value);
}

// Records a day as bars: what was loaded, and on top what was rejected. The same is there as a table.

import { h, svg } from "./dom.js";
import { axis, count, day } from "./format.js";

const [HEIGHT, LEFT, BOTTOM, TOP] = [200, 44, 22, 8]; // pixels

// `days` are {day, loaded, rejected}, oldest first, none left out; `width` is in pixels, so that text keeps its size.
export function volumePlot(days, width) {
  const right = Math.max(width, 240);
  const most = nice(Math.max(...days.map(({ loaded, rejected }) => loaded + rejected), 1));
  const step = (right - LEFT) / days.length;
  const height = (number) => ((HEIGHT - TOP - BOTTOM) * number) / most;
  const floor = HEIGHT - BOTTOM;
  const bars = days.map(({ day: date, loaded, rejected }, at) => {
    const x = LEFT + at * step + step * 0.14;
    const thick = step * 0.72;
    const up = height(loaded);
    const on = rejected ? Math.max(height(rejected), 1.5) : 0;
    return svg(
      "g",
      {},
      svg("title", {}, `${day(date)}: ${count(loaded)} loaded, ${count(rejected)} rejected`),
      svg("rect", { x: LEFT + at * step, y: TOP, width: step, height: floor - TOP, class: "catch" }),
      svg("rect", { x, y: floor - up, width: thick, height: up, class: "var-good" }),
      svg("rect", { x, y: floor - up - on, width: thick, height: on, class: "var-bad" }),
    );
  });
  const lines = [0.5, 1].map((share) => {
    const y = floor - height(most * share);
    return [
      svg("line", { x1: LEFT, x2: right, y1: y, y2: y, class: "rule" }),
      svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, axis(most * share)),
    ];
  });
  const every = Math.ceil(days.length / Math.floor(right / 90));
  const labels = days.map(({ day: date }, at) =>
    at % every === 0 ? svg("text", { x: LEFT + (at + 0.5) * step, y: HEIGHT - 5, "text-anchor": "middle" }, day(date)) : null,
  );
  const loaded = days.reduce((sum, each) => sum + each.loaded, 0);
  const rejected = days.reduce((sum, each) => sum + each.rejected, 0);
  return h(
    "figure",
    { class: "part" },
    svg(
      "svg",
      { class: "plot", viewBox: `0 0 ${right} ${HEIGHT}`, role: "img", "aria-label": `Records a day over ${days.length} days: ${count(loaded)} loaded, ${count(rejected)} rejected` },
      lines,
      svg("line", { x1: LEFT, x2: right, y1: floor, y2: floor, class: "axis" }),
      bars,
      labels,
    ),
    h("figcaption", { class: "legend small soft" }, h("span", {}, h("i", { class: "var-good" }), "loaded"), h("span", {}, h("i", { class: "var-bad" }), "rejected, on top")),
    h("details", { class: "small" }, h("summary", {}, "As a table"), table(days)),
  );
}

function table(days) {
  const rows = days.filter(({ loaded, rejected }) => loaded || rejected).reverse();
  if (!rows.length) return h("p", { class: "soft" }, "No records came in.");
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ["Day", "Loaded", "Rejected"].map((text, at) => h("th", { scope: "col", class: at ? "number" : null }, text)))),
    h("tbody", {}, rows.map((each) => h("tr", {}, h("td", {}, day(each.day)), h("td", { class: "number" }, count(each.loaded)), h("td", { class: "number" }, count(each.rejected))))),
  );
}

// The next round number.
function nice(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((digit) => digit * power).find((each) => each >= number);
}

// Parts that several views show.

import { h, svg } from "./dom.js";
import { bytes, count, percent, short } from "./format.js";

// Every state has a word, a colour and a shape, so that none of them is needed to tell it.
const STATES = {
  PENDING: ["Waiting", "idle", [ring()]],
  RUNNING: ["Loading", "busy", [ring("faint"), svgPath("M8 2a6 6 0 0 1 6 6", "turn")]],
  CANCELLING: ["Cancelling", "warn", [ring(), svgPath("M5 8h6")]],
  CANCELLED: ["Cancelled", "idle", [ring(), svgPath("m4 4 8 8")]],
  COMPLETED: ["Loaded", "good", [ring(), svgPath("m5 8.2 2.2 2.2L11 6")]],
  COMPLETED_WITH_FAILURES: ["Loaded in part", "warn", [svgPath("M8 2 14.2 13H1.8Z"), svgPath("M8 6.5v3M8 11.2v.1")]],
  FAILED: ["Failed", "bad", [svgPath("M2.5 2.5h11v11h-11Z"), svgPath("m5.5 5.5 5 5m0-5-5 5")]],
  DUPLICATE: ["Duplicate", "idle", [svgPath("M2 2h8v8H2Z"), svgPath("M6 10v4h8V6h-4")]],
};
const ENDED = new Set(["CANCELLED", "COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "DUPLICATE"]);

export const JOB_STATES = Object.entries(STATES).map(([name, [word]]) => [name, word]);
export const ended = (job) => ENDED.has(job.state);

function ring(name) {
  return svg("circle", { cx: 8, cy: 8, r: 6, class: name });
}

function svgPath(d, name) {
  return svg("path", { d, class: name });
}

export function state(job) {
  const [word, colour, shapes] = STATES[job.state] ?? [job.state, "idle", []];
  const said = job.validate_only && word.startsWith("Loaded") ? word.replace("Loaded", "Checked") : word;
  return h(
    "span",
    { class: `state ${colour}`, title: job.state },
    svg("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, shapes.map((shape) => shape.cloneNode())),
    said,
  );
}

// What became of the records read, in the order of the books.
export const OUTCOMES = [
  ["inserted", "inserted", "good"],
  ["updated", "updated", "good"],
  ["unchanged", "unchanged", "idle"],
  ["ignored", "ignored", "idle"],
  ["rejected", "rejected", "bad"],
];

const FILLS = { good: "var-good", idle: "var-idle", bad: "var-bad" };

// A bar of shares, on a scale of 1000; beside words that say the same.
export function bar(counts) {
  const total = OUTCOMES.reduce((sum, [name]) => sum + counts[name], 0);
  let x = 0;
  const pieces = total
    ? OUTCOMES.filter(([name]) => counts[name]).map(([name, , fill]) => {
        const width = Math.max((1000 * counts[name]) / total, 6);
        const piece = svg("rect", { x: Math.min(x, 1000 - width), y: 0, width, height: 10, class: FILLS[fill] });
        x += width;
        return piece;
      })
    : [];
  return svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, pieces);
}

// "98,900 loaded, 1,100 rejected" in few words.
export function outcome(job) {
  const { counts } = job;
  const loaded = counts.inserted + counts.updated;
  const words = [];
  if (loaded) words.push(`${short(loaded)} ${job.validate_only ? "would load" : "loaded"}`);
  if (counts.unchanged) words.push(`${short(counts.unchanged)} unchanged`);
  if (counts.ignored) words.push(`${short(counts.ignored)} ignored`);
  if (counts.rejected) words.push(`${short(counts.rejected)} rejected`);
  return words.join(", ");
}

export function progressOf(job) {
  const { bytes_done: done, bytes_total: total } = job.progress;
  if (ended(job) && total !== null) return { done, total, words: `${bytes(total)}` };
  if (!total) return { done, total: null, words: `${bytes(done)} so far` };
  return { done, total, words: `${percent(done, total)} of ${bytes(total)}` };
}

export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

// Rows of grey where data will be, as high as those will be.
export function waiting(lines, height = "line") {
  return h(
    "div",
    { "aria-busy": "true", class: "part" },
    h("span", { class: "unseen" }, "Loading"),
    Array.from({ length: lines }, () => h("div", { class: `waiting ${height}`, "aria-hidden": "true" }, " ")),
  );
}

export function link(job, text) {
  return h("a", { href: `#/jobs/${job}` }, text);
}

// A button that does something once at a time and says so.
export function button(text, run, props = {}) {
  return h(
    "button",
    {
      type: "button",
      ...props,
      on: {
        async click() {
          if (this.ariaDisabled === "true") return;
          this.ariaDisabled = "true";
          try {
            await run(this);
          } finally {
            this.ariaDisabled = null;
          }
        },
      },
    },
    text,
  );
}

export const numberCell = (value) => h("td", { class: "number" }, count(value));

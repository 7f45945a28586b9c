// What was wrong with a job: its causes grouped, and its rejected records. Sensitive columns come masked.

import { h } from "./dom.js";
import { count, percent } from "./format.js";
import { paged } from "./paged.js";
import { numberCell } from "./parts.js";

const PAGE = 20;

export function causesTable(job) {
  const rows = job.causes.map(({ code, column, count: number, example_line: line }) =>
    h(
      "tr",
      { key: `${code} ${column}` },
      h("td", {}, column ? h("code", {}, column) : h("span", { class: "soft" }, "the record as a whole")),
      h("td", {}, h("code", {}, code)),
      numberCell(number),
      h("td", { class: "number soft spare" }, percent(number, job.counts.rejected)),
      numberCell(line),
    ),
  );
  const head = ["Column", "What", "Records", "Share", "First on line"];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Causes" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map((text, at) => h("th", { scope: "col", class: at > 1 ? (at === 3 ? "number spare" : "number") : null }, text)))),
      h("tbody", {}, rows),
    ),
  );
}

// The rejected records, a page at a time: an element, and `load()`, which begins at the first again.
export function rejectedRecords(job, signal, fail) {
  const list = h("ol", { class: "records" });
  const { more, load } = paged({ list, path: `v1/jobs/${job}/rejections`, query: { records: true, limit: PAGE }, row: record, fail, signal });
  return { element: h("div", { class: "part", keep: true }, list, h("p", {}, more)), load };
}

function record(item) {
  const wrong = new Set(item.errors.map(({ column }) => column));
  return h(
    "li",
    { class: "record", key: `${item.line} ${item.record}`, tabindex: "-1" },
    h("span", { class: "line small" }, `line ${count(item.line)}`),
    item.cells
      ? h("dl", { class: "pairs" }, item.cells.map(({ column, text }) => pair(column, text, wrong.has(column))))
      : h("p", { class: "small soft" }, "Not shown here: it is long, or its cells may not stand in their columns. The rejected file has it."),
    h("ul", { class: "why small" }, item.errors.map(({ column, message }) => h("li", {}, column ? [h("code", {}, column), ": "] : null, h("span", { class: "bad" }, message)))),
  );
}

function pair(column, text, off) {
  const value = text === null ? h("dd", { class: "masked" }, "hidden") : h("dd", {}, text === "" ? h("span", { class: "soft" }, "empty") : text);
  return h("div", { class: off ? "off" : null }, h("dt", {}, column), value);
}

// The map of a file: its batches in the order of its bytes, a cell each, or a cell for several where there are many.

import { get } from "./api.js";
import { h, show } from "./dom.js";
import { bytes, count, counted } from "./format.js";

const CELLS = 500;
const PAGE = 1000;
const WORDS = {
  succeeded: "loaded",
  rejecting: "loaded, but for rejected records",
  running: "loading",
  pending: "waiting",
  failed: "failed",
  cancelled: "cancelled",
  mixed: "partly loaded",
};
const KINDS = Object.keys(WORDS);

// A map of a job's batches: its element, and `refresh()`, which asks for those that may have changed.
export function batchMap(job, signal) {
  const pages = []; // of batches, and whether each page can still change
  const cells = h("div", { class: "cells", "aria-hidden": "true", on: { pointerover } });
  const where = h("input", { type: "range", min: 1, max: 1, value: 1, step: 1, "aria-label": "Part of the file", on: { input: tell } });
  const said = h("output", { class: "small" });
  const legend = h("p", { class: "legend small soft" });
  const element = h("div", { class: "map part", keep: true, hidden: true }, legend, cells, where, said);
  let groups = [];

  return { element, refresh };

  async function refresh() {
    for (let at = 0, cursor = ""; cursor !== null; at += 1) {
      const page = pages[at];
      if (!page || !page.final) {
        const { data } = await get(`v1/jobs/${job}/batches`, { query: { limit: PAGE, cursor }, signal });
        const final = data.next_cursor !== null && data.items.every(({ state }) => state === "succeeded");
        pages[at] = { items: data.items, next: data.next_cursor, final };
      }
      cursor = pages[at].next;
    }
    draw(pages.flatMap(({ items }) => items));
  }

  function draw(batches) {
    const size = Math.max(1, Math.ceil(batches.length / CELLS));
    groups = [];
    for (let at = 0; at < batches.length; at += size) groups.push(group(batches.slice(at, at + size)));
    element.hidden = !groups.length;
    where.max = Math.max(groups.length, 1);
    show(cells, groups.map(({ kind }) => h("i", { class: kind })));
    const kinds = KINDS.filter((kind) => groups.some((each) => each.kind === kind));
    show(
      legend,
      h("span", {}, size === 1 ? "Each cell is a batch: " : `Each cell is ${size} batches: `),
      kinds.map((kind) => h("span", {}, h("i", { class: kind }), WORDS[kind])),
    );
    tell();
  }

  function pointerover(event) {
    const at = [...cells.children].indexOf(event.target);
    if (at < 0) return;
    where.value = at + 1;
    tell();
  }

  function tell() {
    const at = Number(where.value) - 1;
    const text = groups[at] ? describe(groups[at]) : "";
    [...cells.children].forEach((cell, index) => cell.classList.toggle("here", index === at));
    where.setAttribute("aria-valuetext", text);
    show(said, text);
  }
}

function group(batches) {
  const states = new Set(batches.map(({ state }) => state));
  const rejected = batches.reduce((sum, batch) => sum + batch.rejected, 0);
  const [only] = states.size === 1 ? states : [null];
  let kind = only ?? ["failed", "running", "cancelled"].find((state) => states.has(state)) ?? "mixed";
  if (kind === "succeeded" && rejected) kind = "rejecting";
  return { kind, batches, rejected };
}

function describe({ kind, batches, rejected }) {
  const [first, last] = [batches[0], batches.at(-1)];
  const name = first === last ? `Batch ${count(first.number + 1)}` : `Batches ${count(first.number + 1)} to ${count(last.number + 1)}`;
  const read = batches.reduce((sum, batch) => sum + batch.read, 0);
  const words = [
    WORDS[kind],
    `from line ${count(first.first_line)}`,
    `${bytes(last.byte_end - first.byte_start)} from byte ${count(first.byte_start)}`,
  ];
  if (read) words.push(counted(read, "record"));
  if (rejected) words.push(`${count(rejected)} rejected`);
  const again = Math.max(...batches.map(({ attempts }) => attempts));
  if (again > 1) words.push(`${count(again)} attempts`);
  return `${name}: ${words.join(", ")}`;
}

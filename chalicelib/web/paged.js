// Lists that are asked for in pages.

import { get } from "./api.js";
import { h, show } from "./dom.js";

// The button that shows more of a list, and `load()`, which begins at the first page again.
export function paged({ list, path, query, row, empty, fail, signal }) {
  const more = h("button", { type: "button", hidden: true, on: { click: () => next().catch(fail) } }, "Show more");
  let items = [];
  let cursor = null;
  return { more, load };

  async function load() {
    items = [];
    cursor = null;
    await next();
  }

  async function next() {
    more.disabled = true;
    try {
      const { data } = await get(path, { query: { ...query, cursor }, signal });
      const shown = items.length;
      items = [...items, ...data.items];
      cursor = data.next_cursor;
      show(list, items.length || !empty ? items.map(row) : h("li", { class: "empty" }, empty));
      more.hidden = cursor === null;
      if (shown && document.activeElement === more && more.hidden) list.lastElementChild?.focus();
    } finally {
      more.disabled = false;
    }
  }
}

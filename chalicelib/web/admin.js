// What the views for admins share: check boxes for sets, and a list that grows.

import { get } from "./api.js";
import { h } from "./dom.js";
import { paged } from "./paged.js";

// A group of check boxes called `name`; `chosen` are ticked.
export function choices(legend, name, options, chosen) {
  return h(
    "fieldset",
    {},
    h("legend", {}, legend),
    h("div", { class: "choices" }, options.map(([value, text]) => h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked: chosen.includes(value) }), text))),
  );
}

export function textField(label, name, props = {}) {
  const id = `field-${name}`;
  return h("div", { class: "field" }, h("label", { for: id }, label), h("input", { id, name, type: "text", ...props }));
}

// The datasets that there are for this key, as choices.
export async function datasetNames(signal) {
  const { data } = await get("v1/datasets", { signal });
  return data.items.map(({ name, title }) => [name, title || name]);
}

// None ticked means all of them.
export const orAll = (values) => (values.length ? values : null);

export const listed = (values, all = "all datasets") => (values === null ? all : values.join(", "));

// A list that grows: an element, and `load()`.
export function pagedList({ path, limit = 50, row, empty, signal, fail, name }) {
  const list = h("ol", { class: "plain-list", "aria-label": name });
  const { more, load } = paged({ list, path, query: { limit }, row, empty, fail, signal });
  return { element: h("div", { class: "part", keep: true }, list, more), load };
}

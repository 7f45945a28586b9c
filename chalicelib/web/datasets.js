// Datasets: what their files must be, how many rows there are, and how much came in.

import { get, serverNow } from "./api.js";
import { h, show } from "./dom.js";
import { ago, count, fileName } from "./format.js";
import { facts, link, state, waiting } from "./parts.js";
import { volumePlot } from "./plot.js";

const DAYS = 30;
const LATEST = 5;
const LOOK_EVERY = 60;
const CONFLICTS = {
  reject: "A record whose key is taken is rejected.",
  ignore: "A record whose key is taken is passed over.",
  update: "A record whose key is taken replaces that row.",
  sum: "A record whose key is taken is added to that row.",
  append: "Every record becomes a row; there is no key.",
  replace: "Each file is the new whole.",
};

export function datasetsView({ root, signal, title, poll }) {
  title("Datasets");
  const list = h("div", { class: "part" }, waiting(3, "job"));
  root.append(h("h1", { tabindex: "-1" }, "Datasets"), list);

  poll(async () => {
    const { data, retryAfter } = await get("v1/datasets", { signal });
    const cards = data.items.map((each) =>
      h(
        "li",
        { class: "sheet part", key: each.name },
        h("h2", {}, h("a", { href: `#/datasets/${encodeURIComponent(each.name)}` }, each.title || each.name)),
        facts([
          ["Rows", rows(each)],
          ["Files go to", h("code", { class: "break" }, `input/${each.name}/`)],
          ["Taken keys", CONFLICTS[each.on_conflict]],
        ]),
      ),
    );
    show(list, cards.length ? h("ul", { class: "cards" }, cards) : h("p", { class: "empty" }, "Your key opens no dataset."));
    return retryAfter ?? LOOK_EVERY;
  });
}

export function datasetView({ root, signal, title, poll }, name) {
  title(name);
  show(root, h("h1", { tabindex: "-1" }, name), waiting(6, "job"));
  const here = `v1/datasets/${encodeURIComponent(name)}`;

  let found = null;
  const resized = new ResizeObserver(() => found && draw(...found));
  resized.observe(root);
  signal.addEventListener("abort", () => resized.disconnect());

  poll(async () => {
    const [dataset, volumes] = await Promise.all([get(here, { signal }), get(`${here}/volumes`, { query: { days: DAYS }, signal })]);
    found = [dataset.data, volumes.data.items];
    draw(...found);
    return dataset.retryAfter ?? LOOK_EVERY;
  });

  function draw(dataset, volumes) {
    const { descriptor } = dataset;
    const settings = descriptor.dropload ?? {};
    title(dataset.title || name);
    show(
      root,
      h("div", { class: "part" }, h("h1", { tabindex: "-1" }, dataset.title || name), descriptor.description ? h("p", { class: "soft" }, descriptor.description) : null),
      facts([
        ["Rows", rows(dataset)],
        ["Files go to", h("code", { class: "break" }, `input/${name}/`)],
        ["Taken keys", CONFLICTS[dataset.on_conflict]],
        ["Told of each file", (settings.owners ?? []).join(", ") || "nobody"],
      ]),
      h("section", { class: "part" }, h("h2", {}, `Records a day, last ${DAYS} days`), volumePlot(volumes.map(volume), root.clientWidth)),
      h("section", { class: "part" }, h("h2", {}, "What a file must have"), schema(descriptor)),
      h("section", { class: "part" }, h("h2", {}, "Latest files"), latest(dataset.jobs.slice(0, LATEST), name)),
    );
  }
}

function rows({ rows: { count: number, estimated } }) {
  return `${estimated ? "about " : ""}${count(number)}`;
}

function volume({ day, records, rejected }) {
  return { day, loaded: records - rejected, rejected };
}

function latest(jobs, name) {
  if (!jobs.length) return h("p", { class: "empty" }, "No file of it has come in yet.");
  return [
    h(
      "ol",
      { class: "plain-list" },
      jobs.map((job) =>
        h("li", { class: "head", key: job.id }, link(job.id, fileName(job.object.key)), h("span", { class: "row" }, state(job), h("time", { class: "small soft", datetime: job.created_at }, ago(job.created_at, serverNow())))),
      ),
    ),
    h("p", {}, h("a", { href: `#/jobs?dataset=${encodeURIComponent(name)}` }, "All its jobs")),
  ];
}

function schema(descriptor) {
  const { fields, primaryKey, uniqueKeys = [] } = descriptor.schema;
  const settings = descriptor.dropload ?? {};
  const body = fields.map((field) => {
    const marks = [];
    if ((settings.sensitive ?? []).includes(field.name)) marks.push("sensitive");
    if ((settings.filters ?? []).includes(field.name)) marks.push("filter");
    if ((settings.measures ?? []).includes(field.name)) marks.push("added up");
    return h(
      "tr",
      { key: field.name },
      h("td", {}, h("code", {}, field.name)),
      h("td", {}, field.type ?? "string", field.format && field.format !== "default" ? ` (${field.format})` : ""),
      h("td", {}, rules(field.constraints ?? {})),
      h("td", {}, h("span", { class: "row" }, marks.map((mark) => h("span", { class: "tag" }, mark)))),
    );
  });
  const keys = [primaryKey, ...uniqueKeys].filter((key) => Array.isArray(key) && key.length > 1).map((key) => key.join(" + "));
  return [
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Fields" },
      h("table", {}, h("thead", {}, h("tr", {}, ["Field", "Type", "Rules", "Marks"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, body)),
    ),
    keys.length ? h("p", { class: "soft" }, "Unique together: ", keys.map((key, at) => [at ? "; " : "", h("code", {}, key)])) : null,
  ];
}

const BOUNDS = [
  ["minLength", "at least", "characters"],
  ["maxLength", "at most", "characters"],
  ["minimum", "from"],
  ["exclusiveMinimum", "more than"],
  ["maximum", "up to"],
  ["exclusiveMaximum", "less than"],
];

function rules(constraints) {
  const words = [];
  if (constraints.required) words.push("required");
  if (constraints.unique) words.push("unique");
  for (const [name, before, after = ""] of BOUNDS) {
    if (name in constraints) words.push(`${before} ${constraints[name]} ${after}`.trim());
  }
  const parts = [words.join(", ")];
  if (constraints.pattern) parts.push(h("span", {}, words.length ? ", like " : "like ", h("code", { class: "break" }, constraints.pattern)));
  if (constraints.enum) parts.push(`${words.length ? ", " : ""}one of ${constraints.enum.join(", ")}`);
  return parts;
}

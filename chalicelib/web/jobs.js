// All jobs, newest first, and the place to drop files.

import { get, serverNow } from "./api.js";
import { h, show } from "./dom.js";
import { ago, bytes, counted, duration, fileName, moment, percent, speed } from "./format.js";
import { bar, ended, JOB_STATES, link, outcome, progressOf, state, waiting } from "./parts.js";
import { note, rate } from "./rates.js";
import { uploads } from "./upload.js";

const PAGE = 25;
const UNSAID = 10; // seconds between looks where the server does not say how many

export function jobsView({ root, signal, may, query, title, poll, fail }) {
  title("Jobs");
  const filters = { dataset: query.get("dataset") ?? "", state: query.get("state") ?? "", key: query.get("key") ?? "" };
  const cursor = query.get("cursor") ?? "";
  const list = h("div", { class: "part" }, waiting(6, "job"));
  const form = filterForm(filters);
  root.append(
    h("h1", { tabindex: "-1" }, "Jobs"),
    may("write") ? uploads(signal, fail) : null,
    h("section", { class: "part", "aria-label": "Jobs" }, form, list),
  );
  names(form, filters.dataset, signal).catch(fail);

  poll(async () => {
    const { data, retryAfter } = await get("v1/jobs", { query: { ...filters, cursor, limit: PAGE }, signal });
    data.items.forEach(note);
    show(list, rows(data, filters, cursor));
    return retryAfter ?? UNSAID;
  });
}

function rows(page, filters, cursor) {
  if (!page.items.length) {
    const filtered = Object.values(filters).some(Boolean) || cursor;
    return h(
      "p",
      { class: "empty", key: "empty" },
      filtered ? ["No job is like that. ", h("a", { href: "#/jobs" }, "Show all")] : "No file has come in yet. Drop one above.",
    );
  }
  return [
    h("ol", { class: "jobs", key: "list" }, page.items.map(row)),
    h(
      "nav",
      { class: "row", "aria-label": "Pages", key: "pages" },
      cursor ? h("a", { class: "button", href: address(filters) }, "Newest") : null,
      page.next_cursor ? h("a", { class: "button", href: address({ ...filters, cursor: page.next_cursor }) }, "Older") : null,
    ),
  ];
}

function row(job) {
  const name = fileName(job.object.key);
  const under = !ended(job);
  return h(
    "li",
    { key: job.id, class: "job" },
    h("div", { class: "what" }, link(job.id, name), h("span", { class: "small soft break" }, job.object.key.slice(0, -name.length))),
    h("div", { class: "how" }, state(job), job.validate_only ? h("span", { class: "tag" }, "validation only") : null),
    h("div", { class: "much" }, under ? underWay(job, name) : [job.counts.read ? bar(job.counts) : null, h("span", { class: "small soft" }, summary(job))]),
    h("time", { class: "small soft", datetime: job.created_at, title: moment(job.created_at) }, ago(job.created_at, serverNow())),
  );
}

function underWay(job, name) {
  const { done, total } = progressOf(job);
  const { records, seconds } = rate(job);
  const words = [total ? percent(done, total) : "reading"];
  if (records) words.push(speed(records));
  if (seconds !== null) words.push(`${duration(seconds)} left`);
  return [
    h("progress", { "aria-label": `Progress of ${name}`, ...(total ? { max: total, value: done } : {}) }),
    h("span", { class: "small soft" }, words.join(", ")),
  ];
}

function summary(job) {
  if (job.state === "DUPLICATE") return "the same bytes as an earlier job";
  if (job.reason && !job.counts.read) return job.reason.message;
  return outcome(job) || `${counted(job.counts.read, "record")} in ${bytes(job.object.size)}`;
}

function filterForm(filters) {
  const state = h(
    "select",
    { id: "by-state", name: "state" },
    h("option", { value: "" }, "any state"),
    JOB_STATES.map(([value, word]) => h("option", { value, selected: value === filters.state }, word)),
  );
  return h(
    "form",
    { class: "filters", role: "search", on: { submit, change: submit } },
    h("h2", {}, "Latest"),
    h("div", { class: "field" }, h("label", { for: "by-dataset" }, "Dataset"), h("select", { id: "by-dataset", name: "dataset" }, h("option", { value: filters.dataset }, filters.dataset || "any dataset"))),
    h("div", { class: "field" }, h("label", { for: "by-state" }, "State"), state),
    h("div", { class: "field" }, h("label", { for: "by-key" }, "Key, in full"), h("input", { id: "by-key", name: "key", type: "search", value: filters.key, placeholder: "input/members/file.csv" })),
  );

  function submit(event) {
    event.preventDefault();
    location.hash = address(Object.fromEntries(new FormData(this)));
  }
}

async function names(form, chosen, signal) {
  const { data } = await get("v1/datasets", { signal });
  const options = data.items.map(({ name, title }) => h("option", { value: name, selected: name === chosen }, title || name));
  show(form.querySelector("#by-dataset"), h("option", { value: "" }, "any dataset"), options);
}

function address(wanted) {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  return query.size ? `#/jobs?${query}` : "#/jobs";
}

// One job: what became of a file, why, and what can be done about it.

import { get, post, serverNow, target } from "./api.js";
import { batchMap } from "./batches.js";
import { announce, h, show } from "./dom.js";
import { question, radios } from "./dialog.js";
import { ago, bytes, count, counted, dollars, duration, fileName, moment, rough, speed } from "./format.js";
import { bar, button, ended, facts, link, OUTCOMES, progressOf, state, waiting } from "./parts.js";
import { causesTable, rejectedRecords } from "./rejected.js";
import { stir } from "./poll.js";
import { note, rate } from "./rates.js";
import { undo, undoable, undone } from "./undo.js";

const WAIT = 20; // seconds that the server may hold an answer back until the job changes
const SETTLED = 30;
const UNDOING = 1;
const WHOSE = { file: "The file has to be mended.", transient: "This passes; do it again.", terminal: "This is a fault of ours, not of the file." };

export function jobView({ root, signal, may, title, poll, fail }, id) {
  title("Job");
  const map = batchMap(id, signal);
  const records = rejectedRecords(id, signal, fail);
  let job = null;
  let receipt = null; // what it took
  let told = "";
  const refused = h("p", { class: "wrong", role: "alert", keep: true });
  show(root, h("h1", { tabindex: "-1" }, "Job"), waiting(5, "job"));

  poll(async () => {
    const query = job && !ended(job) && !document.hidden ? { wait: WAIT } : {};
    const { data, retryAfter } = await get(`v1/jobs/${id}`, { query, signal });
    await take(data);
    const undoing = data.undone && !data.undone.finished_at && !data.undone.reason;
    return retryAfter ?? (!ended(data) ? 0.5 : undoing ? UNDOING : SETTLED);
  });

  async function take(fresh) {
    const changed = JSON.stringify(fresh) !== JSON.stringify(job);
    const was = job;
    job = fresh;
    note(job);
    draw();
    if (!changed) return;
    if (ended(job)) receipt = (await get(`v1/jobs/${id}/receipt`, { signal })).data;
    await map.refresh();
    if (ended(job) && job.counts.rejected) await records.load();
    if (was && told !== job.state) announce(`The job is now: ${state(job).textContent}`);
    told = job.state;
    draw();
  }

  function draw() {
    const name = fileName(job.object.key);
    title(name);
    show(
      root,
      h("div", { class: "part", key: "head" }, h("div", { class: "head" }, h("h1", { tabindex: "-1" }, name), state(job)), h("p", { class: "soft break" }, job.object.key)),
      why(job),
      undone(job),
      under(job, name),
      books(job),
      actions(),
      h("section", { class: "part", "aria-label": "Map of the file", key: "map" }, map.element),
      job.causes.length ? h("section", { class: "part", key: "causes" }, h("h2", {}, "What was wrong"), causesTable(job)) : null,
      job.counts.rejected && ended(job) ? h("section", { class: "part", key: "records" }, h("h2", {}, "Rejected records"), records.element) : null,
      h("section", { class: "part", key: "about" }, h("h2", {}, "About it"), about(job, receipt)),
    );
  }

  function actions() {
    const all = [];
    if (ended(job) && job.counts.rejected) all.push(button("Download rejected file", download, { class: "main" }));
    if (job.state.startsWith("COMPLETED")) all.push(button("Receipt", manifest));
    if (may("write") && waitsForWindow(job)) all.push(button("Begin now", start));
    if (may("write") && !ended(job) && job.state !== "CANCELLING") all.push(button("Cancel", cancel, { class: "grave" }));
    if (may("write") && redrives(job).length) all.push(button("Redrive", redrive));
    if (may("write") && undoable(job)) all.push(button("Undo", takeBack, { class: "grave" }));
    return all.length ? h("div", { class: "row", role: "group", "aria-label": "Actions", key: "actions" }, all, refused) : null;
  }

  // Links expire within minutes, so each is asked for when it is used.
  function download() {
    return follow(() => target(`v1/jobs/${id}/rejected.csv`, { signal }));
  }

  function manifest() {
    return follow(async () => (await get(`v1/jobs/${id}/result`, { signal })).data.output[0].url);
  }

  async function follow(find) {
    show(refused);
    try {
      const anchor = h("a", { href: await find(), download: "", rel: "noreferrer" });
      document.body.append(anchor);
      anchor.click();
      anchor.remove();
    } catch (error) {
      show(refused, error.message);
    }
  }

  async function start() {
    show(refused);
    try {
      await take((await post(`v1/jobs/${id}/start`, {}, { signal })).data);
    } catch (error) {
      show(refused, error.message);
    }
  }

  async function takeBack() {
    show(refused);
    try {
      const fresh = await undo(id, signal);
      if (!fresh) return;
      await take(fresh);
      stir();
    } catch (error) {
      show(refused, error.message);
    }
  }

  function cancel() {
    return question({
      title: "Cancel this job?",
      content: h("p", {}, "Batches that are being loaded come to their end; no other is begun. What is loaded by then stays."),
      yes: "Cancel the job",
      no: "Let it go on",
      grave: true,
      run: async () => {
        await post(`v1/jobs/${id}/cancel`, {}, { signal });
        await again();
      },
    });
  }

  function redrive() {
    return question({
      title: "Do what again?",
      content: [
        radios("what", "What to do again", redrives(job)),
        h("p", { class: "small soft" }, "Nothing that is loaded is loaded twice."),
      ],
      yes: "Redrive",
      run: async (form) => {
        const { data } = await post(`v1/jobs/${id}/redrive`, { what: form.get("what") }, { signal });
        if (data.id !== id) location.hash = `#/jobs/${data.id}`;
        else await again();
      },
    });
  }

  async function again() {
    await take((await get(`v1/jobs/${id}`, { signal })).data);
  }
}

// What may be done again, as pairs of the API's word and ours.
function redrives(job) {
  if (!ended(job) || job.validate_only) return [];
  const ours = job.state === "FAILED" && job.reason?.class !== "file";
  return [
    ours && ["failed", "What failed: go on with the batches that are not loaded"],
    job.counts.rejected && ["rejected", `The ${counted(job.counts.rejected, "rejected record")}, by the rules as they are now`],
    ["FAILED", "CANCELLED"].includes(job.state) && ["all", "The whole file, from its first byte"],
  ].filter(Boolean);
}

function why(job) {
  if (job.state === "DUPLICATE") {
    return h("p", { class: "notice", key: "why" }, "These bytes came before under this name, so nothing was loaded. ", job.duplicate_of ? link(job.duplicate_of, "The earlier job") : null);
  }
  if (waitsForWindow(job)) {
    return h("p", { class: "notice", key: "why" }, `It waits for the time at which this dataset is loaded, and begins on ${moment(job.starts_at)}.`);
  }
  if (!job.reason) return null;
  return h("p", { class: `notice ${job.reason.class === "transient" ? "warn" : "bad"}`, key: "why" }, h("strong", {}, sentence(job.reason.message)), " ", WHOSE[job.reason.class], job.retry_at ? ` It is tried again on ${moment(job.retry_at)}.` : null);
}

function waitsForWindow(job) {
  return job.state === "PENDING" && Boolean(job.starts_at);
}

function sentence(text) {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

// While it is under way: how far, how fast, how long.
function under(job, name) {
  if (ended(job)) return null;
  const { done, total, words } = progressOf(job);
  const { records, seconds } = rate(job);
  return h(
    "section",
    { class: "part", "aria-label": "Progress", key: "under" },
    h("progress", { "aria-label": `Progress of ${name}`, ...(total ? { max: total, value: done } : {}) }),
    h("p", { class: "row soft" }, [words, records ? speed(records) : "measuring", seconds === null ? null : `about ${duration(seconds)} left`].filter(Boolean).join(" · ")),
  );
}

function books(job) {
  const { counts } = job;
  if (ended(job) && !counts.read) return null;
  const terms = OUTCOMES.filter(([name]) => counts[name] || name === "inserted" || name === "rejected");
  const sign = (text) => h("span", { class: "sign", "aria-hidden": "true" }, text);
  const term = (name, number, colour) => h("div", { class: number ? null : "nothing" }, h("dt", {}, name), h("dd", { class: number && colour === "bad" ? "bad" : null }, count(number)));
  return h(
    "section",
    { class: "sheet part", "aria-label": "Books", key: "books" },
    h("dl", { class: "books" }, term("records read", counts.read), terms.map(([name, word, colour], at) => [sign(at ? "+" : "="), term(word, counts[name], colour)])),
    bar(counts),
    h("p", { class: "small soft" }, verdict(job)),
  );
}

function verdict(job) {
  if (!ended(job)) return "Counted batch by batch, as each is committed.";
  const checked = job.validate_only ? " It was only validated: nothing of it is in the table." : "";
  return (job.balanced ? "The books balance: every record read is accounted for." : "The books are not balanced yet.") + checked;
}

function about(job, receipt) {
  const { object, found, progress } = job;
  const { records } = rate(job);
  const took = job.started_at && job.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000 : null;
  const batches = Object.values(progress.batches).reduce((sum, number) => sum + number, 0);
  const children = job.children ?? [];
  return facts([
    ["Dataset", h("a", { href: `#/datasets/${encodeURIComponent(job.dataset)}` }, job.dataset)],
    ["Size", bytes(object.size)],
    found && ["Found to be", [found.container, found.format, found.encoding].filter(Boolean).join(", ")],
    ["Came in", h("time", { datetime: job.created_at, title: ago(job.created_at, serverNow()) }, moment(job.created_at))],
    took !== null && ["Took", `${duration(took)}${records ? `, ${speed(records)}` : ""}`],
    batches > 0 && ["Batches", count(batches)],
    receipt && ended(job) && ["Cost on AWS, about", `${dollars(receipt.cost_usd)}, ${rough(receipt.gb_seconds)} GB-seconds`],
    job.parent && ["Corrects", link(job.parent, "its parent job")],
    job.again_of && ["Loads again", link(job.again_of, "what an earlier job did not")],
    children.length && ["Corrected by", children.map((child, at) => [at ? ", " : "", link(child, `job ${at + 1}`)])],
    job.resolved > 0 && ["Resolved since", `${counted(job.resolved, "rejection")}`],
    ["Job", h("code", { class: "small" }, job.id)],
    object.version_id && ["Version", h("code", { class: "small" }, object.version_id)],
  ]);
}

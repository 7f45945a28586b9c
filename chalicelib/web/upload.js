// Files on their way from this page straight into the bucket, by the presigned form that the API gives for each.

import { get, post, Refused, serverNow } from "./api.js";
import { announce, h, show } from "./dom.js";
import { bytes, counted, duration, percent } from "./format.js";
import { link, state } from "./parts.js";
import { passing, pause, stir } from "./poll.js";

const AT_ONCE = 2;
const HASHED = 128_000_000; // bytes; to hash a file it must be held in memory
const JOB_WITHIN = 60; // seconds that an announced file may take to become a job

const files = []; // of this visit, the newest first; they go on while other views are shown
let redraw = () => {};
let number = 0;

// The drop zone, with the files under it.
export function uploads(signal, fail) {
  const list = h("ol", { class: "uploads", "aria-label": "Uploads" });
  const dataset = h("select", { id: "into", required: true }, h("option", { value: "" }, "…"));
  const only = h("input", { type: "checkbox", id: "only", role: "switch" });
  const picker = h("input", { type: "file", id: "pick", multiple: true, class: "unseen", tabindex: "-1", "aria-label": "Files", on: { change } });
  const said = h("p", { class: "wrong small", role: "alert" });
  const zone = h(
    "section",
    { class: "zone", "aria-label": "Upload files" },
    h("p", { class: "call" }, h("strong", {}, h("span", { class: "with-mouse" }, "Drop files anywhere on this page"), h("span", { class: "by-touch" }, "Upload files")), h("span", { class: "soft" }, "CSV, JSON Lines, Excel, Parquet; also .gz and .zip")),
    h("div", { class: "field" }, h("label", { for: "into" }, "Into dataset"), dataset),
    h("label", { class: "check", for: "only" }, only, "Only validate"),
    h("button", { type: "button", class: "main", on: { click: () => picker.click() } }, "Choose files"),
    picker,
    said,
  );
  redraw = () => show(list, files.map(row));
  redraw();
  get("v1/datasets", { signal })
    .then(({ data }) => show(dataset, data.items.map(({ name, title }) => h("option", { value: name }, title || name))))
    .catch(fail);
  dropZone(document.body, zone, signal, take);
  return h("div", { class: "part", keep: true }, zone, list);

  function change() {
    take([...picker.files]);
    picker.value = "";
  }

  function take(chosen) {
    const good = chosen.filter((file) => file.size > 0);
    said.textContent = good.length < chosen.length ? "Folders and empty files were left out." : "";
    if (!dataset.value) return;
    for (const file of good) {
      files.unshift({ id: ++number, file, dataset: dataset.value, only: only.checked, step: "queued", sent: 0 });
    }
    if (good.length) announce(`${counted(good.length, "file")} to upload.`);
    next();
  }
}

function dropZone(target, zone, signal, take) {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  let inside = 0;
  const over = (change) => (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inside = Math.max(0, inside + change);
    zone.classList.toggle("over", inside > 0);
  };
  target.addEventListener("dragenter", over(1), { signal });
  target.addEventListener("dragleave", over(-1), { signal });
  target.addEventListener("dragover", over(0), { signal });
  target.addEventListener(
    "drop",
    (event) => {
      over(-Infinity)(event);
      if (carriesFiles(event)) take([...event.dataTransfer.files]);
    },
    { signal },
  );
}

function next() {
  redraw();
  const sending = files.filter(({ step }) => step === "sending").length;
  const waiting = files.filter(({ step }) => step === "queued").reverse();
  for (const item of waiting.slice(0, AT_ONCE - sending)) {
    item.step = "sending";
    send(item)
      .catch((error) => failed(item, error))
      .finally(next);
  }
}

function failed(item, error) {
  if (error.name === "AbortError") item.step = "stopped";
  else {
    item.step = "failed";
    item.error = error;
  }
  announce(`${item.file.name}: ${item.step === "stopped" ? "upload stopped" : error.message}`);
}

async function send(item) {
  const { file } = item;
  item.stop = new AbortController();
  item.begun = performance.now();
  item.since = serverNow() - 3000; // clocks of servers differ a little
  const body = { dataset: item.dataset, filename: file.name, size: file.size };
  if (item.only) body.validate_only = true;
  if (file.size <= HASHED && crypto.subtle) body.sha256 = await sha256(file);
  const { data } = await post("v1/uploads", body, { signal: item.stop.signal });
  await postForm(item, data);
  item.step = "sent";
  item.key = data.key;
  announce(`${file.name} is uploaded.`);
  follow(item).catch(() => {});
}

async function sha256(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// fetch() does not tell how much it has sent; XMLHttpRequest does.
function postForm(item, { url, fields }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", item.file);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      item.sent = Math.min(item.file.size, (event.loaded / event.total) * item.file.size);
      redraw();
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Refused(request.status, { detail: refusal(request) }, null));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke, or the bucket does not let this page in.")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    item.stop.signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.send(form);
  });
}

function refusal(request) {
  const said = request.responseXML?.querySelector("Message")?.textContent;
  return `The bucket did not take it: ${said ?? `status ${request.status}`}`;
}

// Until the file has become a job, and that has ended.
async function follow(item) {
  const signal = new AbortController().signal;
  const until = performance.now() + JOB_WITHIN * 1000;
  while (!item.job && performance.now() < until) {
    await tried(async () => {
      const { data } = await get("v1/jobs", { query: { key: item.key, limit: 1 } });
      item.job = data.items.find((job) => Date.parse(job.created_at) > item.since);
    });
    if (!item.job) await pause(1, signal);
  }
  item.step = item.job ? "job" : "late";
  redraw();
  stir();
  while (item.job && !item.job.finished_at) {
    await tried(async () => {
      item.job = (await get(`v1/jobs/${item.job.id}`, { query: { wait: 20 } })).data;
    });
    redraw();
    await pause(1, signal);
  }
}

async function tried(look) {
  try {
    await look();
  } catch (error) {
    if (!passing(error)) throw error;
    await pause(error.retryAfter ?? 5, new AbortController().signal);
  }
}

function row(item) {
  const { file } = item;
  return h(
    "li",
    { key: item.id, class: "upload" },
    h("span", { class: "break" }, item.job ? link(item.job.id, file.name) : file.name, h("span", { class: "small soft" }, ` to ${item.dataset}${item.only ? ", only to validate" : ""}`)),
    h("progress", { "aria-label": `Upload of ${file.name}`, max: file.size, value: item.step === "queued" ? 0 : item.step === "sending" ? item.sent : file.size }),
    h("span", { class: `small ${item.step === "failed" ? "wrong" : "soft"}` }, words(item)),
    action(item),
  );
}

function words(item) {
  const { file, step } = item;
  if (step === "queued") return "waiting for its turn";
  if (step === "sending") {
    const spent = (performance.now() - item.begun) / 1000;
    const left = item.sent ? (spent * (file.size - item.sent)) / item.sent : null;
    const time = left !== null && spent > 2 ? `, ${duration(left)} left` : "";
    if (item.sent === file.size) return "all sent; the bucket is taking it in";
    return `${percent(item.sent, file.size)} of ${bytes(file.size)}${time}`;
  }
  if (step === "sent") return "uploaded; waiting for its job";
  if (step === "late") return "uploaded; its job will show below";
  if (step === "job") return state(item.job);
  if (step === "stopped") return "stopped; nothing was loaded";
  const earlier = item.error.problem?.job;
  return earlier ? ["This file is here already: ", link(earlier, "its job")] : item.error.message;
}

function action(item) {
  if (item.step === "sending") {
    return h("button", { type: "button", class: "plain", on: { click: () => item.stop.abort() } }, "Stop", h("span", { class: "unseen" }, ` the upload of ${item.file.name}`));
  }
  if (item.step === "queued" || item.step === "sent") return h("span", {});
  return h("button", { type: "button", class: "plain", on: { click: () => remove(item) } }, "Dismiss", h("span", { class: "unseen" }, ` ${item.file.name}`));
}

function remove(item) {
  files.splice(files.indexOf(item), 1);
  redraw();
  document.getElementById("pick").previousElementSibling.focus();
}

// Webhooks, for admins: who is told of what, and what came of it.

import { ask, get, post, serverNow } from "./api.js";
import { choices, datasetNames, listed, orAll, pagedList, textField } from "./admin.js";
import { announce, h, show } from "./dom.js";
import { question, reveal } from "./dialog.js";
import { ago, moment } from "./format.js";
import { button, link } from "./parts.js";

const EVENTS = [
  ["job.completed", "job.completed: a file is loaded"],
  ["job.failed", "job.failed: a file could not be loaded"],
  ["records.changed", "records.changed: ids of the rows that a file changed"],
  ["record.created", "record.created: by the API"],
  ["record.updated", "record.updated: by the API"],
  ["record.deleted", "record.deleted: by the API"],
];
const DELIVERIES = 10;

export function webhooksView({ root, signal, title, fail }) {
  title("Webhooks");
  const logs = new Map(); // webhook id -> element of its deliveries, where they are open
  const list = pagedList({ path: "v1/webhooks", row, signal, fail, name: "Webhooks", empty: "Nobody is told of anything yet." });
  root.append(
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Webhooks"), button("New webhook", () => edit(null), { class: "main" })),
    h("p", { class: "soft" }, "Each event is posted to an address of yours, signed, and again until it is taken."),
    list.element,
  );
  list.load().catch(fail);

  function row(hook) {
    const named = (text) => [text, h("span", { class: "unseen" }, ` ${hook.url}`)];
    const enabled = hook.state === "enabled";
    const log = logs.get(hook.id) ?? h("div", { class: "part", keep: true });
    logs.set(hook.id, log);
    return h(
      "li",
      { class: "entry", key: hook.id },
      h("div", {}, h("strong", { class: "break" }, hook.url), h("span", { class: enabled ? "tag" : "tag bad" }, hook.state)),
      hook.description ? h("p", { class: "small" }, hook.description) : null,
      h("p", { class: "small soft" }, `${hook.events.join(", ")} · ${listed(hook.datasets)}`),
      hook.reason ? h("p", { class: "small bad" }, `Disabled: ${hook.reason}`) : hook.failing_since ? h("p", { class: "small warn" }, `Failing since ${moment(hook.failing_since)}`) : null,
      hook.old_secret_until ? h("p", { class: "small soft" }, `The secret before signs, too, until ${moment(hook.old_secret_until)}.`) : null,
      h(
        "div",
        { class: "row", role: "group", "aria-label": `Actions on ${hook.url}` },
        enabled ? button(named("Test"), () => test(hook, log)) : button(named("Enable"), () => act(hook, "enable")),
        button(named("Deliveries"), () => deliveries(hook, log)),
        button(named("Change"), () => edit(hook)),
        button(named("New secret"), () => rotate(hook)),
        button(named("Remove"), () => remove(hook), { class: "grave" }),
      ),
      log,
    );
  }

  async function edit(hook) {
    const datasets = await datasetNames(signal).catch(fail);
    if (!datasets) return;
    const made = await question({
      title: hook ? "Change the webhook" : "A new webhook",
      content: [
        textField("Address, beginning with https://", "url", { type: "url", required: true, value: hook?.url ?? "", autocomplete: "off" }),
        textField("What it is for", "description", { maxlength: 200, value: hook?.description ?? "" }),
        choices("Tell it of", "events", EVENTS, hook?.events ?? ["job.completed", "job.failed"]),
        choices("Only for these datasets (none ticked: all)", "datasets", datasets, hook?.datasets ?? []),
      ],
      yes: hook ? "Save" : "Make the webhook",
      run: async (form) => {
        const events = form.getAll("events");
        if (!events.length) throw new Error("Tick what it is to be told of.");
        const body = { url: form.get("url"), description: form.get("description"), events, datasets: orAll(form.getAll("datasets")) };
        if (hook) return (await ask("PATCH", `v1/webhooks/${hook.id}`, { body, signal })).data;
        return (await post("v1/webhooks", body, { signal })).data;
      },
    });
    if (!made) return;
    await list.load().catch(fail);
    if (made.secret) await tell(made);
  }

  function tell({ secret }) {
    return reveal({ title: "Its secret", text: "The receiver checks signatures by it. Copy it now: it is not shown again.", secret });
  }

  async function act(hook, what) {
    await post(`v1/webhooks/${hook.id}/${what}`, {}, { signal }).catch(fail);
    await list.load().catch(fail);
  }

  async function test(hook, log) {
    try {
      await post(`v1/webhooks/${hook.id}/test`, {}, { signal });
      announce("A test is on its way.");
      await deliveries(hook, log);
    } catch (error) {
      show(log, h("p", { class: "wrong", role: "alert" }, error.message));
    }
  }

  async function deliveries(hook, log) {
    try {
      const { data } = await get(`v1/webhooks/${hook.id}/deliveries`, { query: { limit: DELIVERIES }, signal });
      show(log, deliveryTable(data.items, () => deliveries(hook, log)));
    } catch (error) {
      show(log, h("p", { class: "wrong", role: "alert" }, error.message));
    }
  }

  async function rotate(hook) {
    const made = await question({
      title: "A new secret?",
      content: h("p", {}, "For a day, deliveries are signed with both, so that the receiver can change over in peace."),
      yes: "Make a new secret",
      run: async () => (await post(`v1/webhooks/${hook.id}/rotate`, {}, { signal })).data,
    });
    if (!made) return;
    await list.load().catch(fail);
    await tell(made);
  }

  async function remove(hook) {
    const done = await question({
      title: "Remove the webhook?",
      content: h("p", { class: "break" }, `${hook.url} is told of nothing any more. Its deliveries are forgotten.`),
      yes: "Remove it",
      grave: true,
      run: () => ask("DELETE", `v1/webhooks/${hook.id}`, { signal }),
    });
    if (done) await list.load().catch(fail);
  }
}

function deliveryTable(items, again) {
  if (!items.length) return h("p", { class: "small soft" }, "Nothing was sent yet.");
  const rows = items.map((item) => {
    const last = item.attempts.at(-1);
    const answer = last ? (last.status ? `${last.status} in ${last.milliseconds} ms` : last.error) : "not tried yet";
    return h(
      "tr",
      { key: item.id },
      h("td", {}, h("code", {}, item.event), item.job ? [" ", link(item.job, "job")] : null),
      h("td", { class: item.state === "failed" ? "bad" : null }, item.state),
      h("td", {}, answer),
      h("td", { class: "number" }, String(item.attempts.length)),
      h("td", {}, h("time", { datetime: item.created_at, title: moment(item.created_at) }, ago(item.created_at, serverNow()))),
    );
  });
  const head = ["Event", "State", "Last answer", "Attempts", "When"];
  return [
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Deliveries" },
      h("table", { class: "small" }, h("thead", {}, h("tr", {}, head.map((text, at) => h("th", { scope: "col", class: at === 3 ? "number" : null }, text)))), h("tbody", {}, rows)),
    ),
    h("p", {}, button("Look again", again, { class: "plain" })),
  ];
}

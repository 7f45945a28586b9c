// API keys, for admins: made, shown once, revoked.

import { ask, post, serverNow } from "./api.js";
import { choices, datasetNames, listed, orAll, pagedList, textField } from "./admin.js";
import { h } from "./dom.js";
import { question, reveal } from "./dialog.js";
import { ago, moment } from "./format.js";
import { button } from "./parts.js";

const SCOPES = [
  ["read", "read: look at everything"],
  ["write", "write: upload, cancel, redrive, change records"],
  ["admin", "admin: everything, keys and webhooks too"],
];

export function keysView({ root, signal, me, title, fail }) {
  title("Keys");
  const list = pagedList({ path: "v1/keys", row, signal, fail, name: "Keys", empty: "There is no key." });
  root.append(
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Keys"), button("New key", create, { class: "main" })),
    h("p", { class: "soft" }, "Each program and each person should have one of their own, so that one can be revoked without the others."),
    list.element,
  );
  list.load().catch(fail);

  function row(key) {
    const used = key.last_used_at ? `used ${ago(key.last_used_at, serverNow())}` : "never used";
    return h(
      "li",
      { class: "entry", key: key.id },
      h("div", {}, h("strong", { class: "break" }, key.name), key.id === me.id ? h("span", { class: "tag" }, "this one") : null),
      h("p", { class: "small soft" }, `${key.scopes.join(", ")} · ${listed(key.datasets)}`),
      h("p", { class: "small soft", title: moment(key.created_at) }, key.revoked_at ? h("span", { class: "bad" }, `revoked ${ago(key.revoked_at, serverNow())}`) : `made ${ago(key.created_at, serverNow())}, ${used}`),
      key.revoked_at ? null : button(["Revoke", h("span", { class: "unseen" }, ` ${key.name}`)], () => revoke(key), { class: "grave" }),
    );
  }

  async function create() {
    const datasets = await datasetNames(signal).catch(fail);
    if (!datasets) return;
    const made = await question({
      title: "A new key",
      content: [
        textField("Name", "name", { required: true, maxlength: 100, autocomplete: "off" }),
        choices("May", "scopes", SCOPES, ["read"]),
        choices("Only these datasets (none ticked: all)", "datasets", datasets, []),
      ],
      yes: "Make the key",
      run: async (form) => {
        const scopes = form.getAll("scopes");
        if (!scopes.length) throw new Error("Tick what it may do.");
        const body = { name: form.get("name").trim(), scopes };
        const only = orAll(form.getAll("datasets"));
        if (only) body.datasets = only;
        return (await post("v1/keys", body, { signal })).data;
      },
    });
    if (!made) return;
    await list.load();
    await reveal({ title: `The key “${made.name}”`, text: "Copy it now: nobody can read it again.", secret: made.token });
  }

  async function revoke(key) {
    const done = await question({
      title: `Revoke “${key.name}”?`,
      content: h("p", {}, key.id === me.id ? "It is the one that you are signed in with. You will be signed out." : "Whoever uses it is refused from now on. It cannot be undone."),
      yes: "Revoke the key",
      grave: true,
      run: () => ask("DELETE", `v1/keys/${key.id}`, { signal }),
    });
    if (done) await list.load().catch(fail);
  }
}

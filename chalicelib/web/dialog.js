// Questions to a person, as <dialog>: the browser keeps the keyboard in it, and Escape closes it.

import { h, show } from "./dom.js";

let number = 0;

// Open a dialog with a form. `run(data, form)` is called with what was filled in; what it throws is shown, and the
// dialog stays open. Resolves to what it returned, or undefined where the person thought better of it.
export function question({ title, content, yes, no = "Back", grave = false, run }) {
  const id = `dialog-${++number}`;
  const said = h("p", { class: "wrong", role: "alert" });
  const go = yes && h("button", { type: "submit", class: grave ? "grave" : "main" }, yes);
  const form = h(
    "form",
    { on: { submit } },
    h("h2", { id }, title),
    content,
    said,
    h("div", { class: "row" }, h("button", { type: "button", on: { click: () => box.close() } }, no), go),
  );
  const box = h("dialog", { "aria-labelledby": id }, form);
  const before = document.activeElement;
  let result;
  document.body.append(box);
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => {
      box.remove();
      before?.focus?.();
      resolve(result);
    });
  });

  async function submit(event) {
    event.preventDefault();
    show(said);
    go.disabled = true;
    try {
      result = (await run(new FormData(form), form)) ?? true;
      box.close();
    } catch (error) {
      show(said, error.message);
      go.disabled = false;
      go.focus();
    }
  }
}

// One of several: pairs of a value and what it means, the first one chosen.
export function radios(name, label, options) {
  return h(
    "div",
    { role: "radiogroup", "aria-label": label, class: "choices" },
    options.map(([value, text], at) => h("label", { class: "check" }, h("input", { type: "radio", name, value, checked: at === 0 }), text)),
  );
}

// Show a secret, once. `text` is told that it will not be shown again.
export function reveal({ title, text, secret }) {
  const said = h("span", { class: "small soft", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Select it and copy it by hand.";
    }
  };
  return question({
    title,
    content: [
      h("p", {}, text),
      h("code", { class: "secret", tabindex: "0" }, secret),
      h("p", { class: "head" }, said, h("button", { type: "button", on: { click: copy } }, "Copy")),
    ],
    no: "Done",
  });
}

// Signing in: with an API key, which stays in this tab.

import { Refused } from "./api.js";
import { h } from "./dom.js";

const REFUSALS = {
  401: "This key is unknown, or was revoked. Check that it is complete: it begins with dropload_.",
  403: "This key is good, but may not look at anything. For this page it needs the scope read.",
};

export function signInView({ root, begin }) {
  document.title = "Sign in · dropload";
  const said = h("p", { id: "said", role: "alert" });
  const field = h("input", {
    id: "key",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
    required: true,
    "aria-describedby": "key-help",
  });
  const button = h("button", { class: "main", type: "submit" }, "Sign in");
  root.append(
    h(
      "div",
      { class: "sign-in" },
      h("h1", { tabindex: "-1" }, "Sign in"),
      h("p", { class: "soft" }, "Files dropped here become rows; every record that cannot is handed back with the reason."),
      h(
        "form",
        { on: { submit } },
        h("div", { class: "field" }, h("label", { for: "key" }, "API key"), field),
        said,
        button,
        h("p", { id: "key-help", class: "small soft" }, "It stays in this browser tab and is forgotten when the tab closes."),
      ),
    ),
  );
  field.focus();

  async function submit(event) {
    event.preventDefault();
    const token = field.value.trim();
    if (!token) return;
    button.disabled = true;
    said.className = "";
    said.textContent = "";
    try {
      if (!/^[!-~]+$/.test(token)) throw new Refused(401, {}, null); // no header could carry it
      await begin(token);
    } catch (error) {
      said.className = "wrong";
      said.textContent = REFUSALS[error.status] ?? error.message;
      field.setAttribute("aria-invalid", "true");
      field.select();
    } finally {
      button.disabled = false;
    }
  }
}

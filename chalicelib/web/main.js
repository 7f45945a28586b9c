// Signing in and out, and which view the address asks for.

import { get, key, Refused } from "./api.js";
import { announce, h, show } from "./dom.js";
import { datasetView, datasetsView } from "./datasets.js";
import { jobView } from "./job.js";
import { jobsView } from "./jobs.js";
import { keysView } from "./keys.js";
import { passing, poll } from "./poll.js";
import { signInView } from "./sign-in.js";
import { webhooksView } from "./webhooks.js";

const main = document.getElementById("main");
const VIEWS = [
  [/^#\/jobs$/, jobsView],
  [/^#\/jobs\/([0-9a-f-]{36})$/, jobView],
  [/^#\/datasets$/, datasetsView],
  [/^#\/datasets\/([^/]+)$/, datasetView],
  [/^#\/webhooks$/, webhooksView],
  [/^#\/keys$/, keysView],
];
const PLACES = [
  ["#/jobs", "Jobs"],
  ["#/datasets", "Datasets"],
  ["#/webhooks", "Webhooks", "admin"],
  ["#/keys", "Keys", "admin"],
];

let me = null;
let leaving = new AbortController();

function may(scope) {
  return me.scopes.includes("admin") || me.scopes.includes(scope);
}

// Show what the address says.
function route() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  trouble(null);
  header();
  const root = h("div", { class: "stack" });
  main.replaceChildren(root);
  if (!me) {
    signInView({ root, signal, begin });
    return;
  }
  const [path, query] = location.hash.split("?");
  const [found, view] = VIEWS.map(([pattern, each]) => [path.match(pattern), each]).find(([match]) => match) ?? [];
  if (!found) {
    location.replace("#/jobs");
    return;
  }
  const context = {
    root,
    signal,
    me,
    may,
    query: new URLSearchParams(query),
    title: (text) => (document.title = `${text} · dropload`),
    show: (...nodes) => show(root, ...nodes),
    poll: (look) => poll(signal, look, trouble).catch(fail),
    trouble,
    fail,
  };
  function fail(error) {
    if (signal.aborted) return;
    if (error instanceof Refused && error.status === 401) {
      end("Your key is no longer accepted. Sign in again.");
      return;
    }
    trouble(passing(error) ? error : null);
    const gone = error.status === 404;
    show(
      root,
      h("h1", { tabindex: "-1" }, gone ? "Nothing here" : "That did not work"),
      h("p", { class: "notice bad", role: "alert" }, gone ? "It does not exist, or your key does not open it." : error.message),
      h("p", {}, h("a", { href: "#/jobs" }, "To all jobs")),
    );
  }
  view(context, ...found.slice(1).map(decodeURIComponent));
  focus(root, signal);
}

// After a change of view, a screen reader and the keyboard go on from its heading.
let first = true;
function focus(root, signal) {
  if (first) {
    first = false;
    return;
  }
  const look = () => root.querySelector("h1")?.focus({ preventScroll: true });
  look();
  window.scrollTo(0, 0);
  setTimeout(() => !signal.aborted && document.activeElement === document.body && look(), 300);
}

function header() {
  const nav = document.getElementById("nav");
  const who = document.getElementById("who");
  if (!me) {
    show(nav);
    show(who);
    return;
  }
  const here = location.hash.split("?")[0];
  show(
    nav,
    PLACES.filter(([, , scope]) => !scope || may(scope)).map(([href, name]) =>
      h("a", { href, "aria-current": here === href ? "page" : here.startsWith(`${href}/`) ? "true" : null }, name),
    ),
  );
  show(
    who,
    h("span", { class: "name", title: `Key “${me.name}”: ${me.scopes.join(", ")}` }, me.name),
    h("button", { type: "button", class: "plain", on: { click: () => end("You are signed out.") } }, "Sign out"),
  );
}

// A line at the foot of the page for what will pass by itself.
function trouble(error, wait) {
  const place = document.getElementById("trouble");
  place.hidden = !error;
  if (error) place.textContent = `${error.message} Trying again in ${Math.ceil(wait ?? 5)} s.`;
}

// Take this key. Throws Refused where it is not accepted.
async function begin(token) {
  key.set(token);
  try {
    me = (await get("v1/me")).data;
  } catch (error) {
    key.forget();
    throw error;
  }
  if (!location.hash) history.replaceState(null, "", "#/jobs");
  route();
}

function end(message) {
  key.forget();
  me = null;
  route();
  announce(message);
  show(document.getElementById("said"), message);
  document.querySelector("#key")?.focus();
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", route);

const kept = key.get();
if (kept) {
  begin(kept).catch((error) => {
    route();
    if (passing(error)) {
      key.set(kept);
      trouble(error, 5);
      setTimeout(() => location.reload(), 5000);
    }
  });
} else {
  route();
}

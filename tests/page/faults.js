// What is wrong with the document for whom does not see it, or has no mouse: a list of words.
() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const text = (id) => document.getElementById(id)?.textContent.trim();
  const name = (each) =>
    each.getAttribute("aria-label") ||
    (each.getAttribute("aria-labelledby") || "").split(" ").map(text).join(" ").trim() ||
    [...(each.labels ?? [])].map((label) => label.textContent.trim()).join(" ") || each.textContent.trim();
  const fault = (what, each) => faults.push(`${what}: ${each?.outerHTML.slice(0, 150) ?? ""}`);
  if (document.documentElement.lang !== "en") fault("no language");
  if (!document.title.includes("dropload")) fault("no title");
  for (const landmark of ["main", "body > header", "[role=status]"]) {
    if (!document.querySelector(landmark)) fault(`no ${landmark}`);
  }
  if (all("main").length !== 1) fault("not one main");
  if (all("h1").length !== 1) fault("not one h1");
  let level = 1;
  for (const heading of all("h1, h2, h3, h4")) {
    const own = Number(heading.nodeName[1]);
    if (own > level + 1) fault("a level of headings is skipped", heading);
    level = own;
  }
  for (const each of all("a[href], button, input, select, progress, summary, [role=region], nav, dialog, section")) {
    if (!name(each) && !(each.nodeName === "SECTION" && each.querySelector("h2"))) fault("no name", each);
  }
  for (const each of all("input, select")) if (each.placeholder && !each.labels.length) fault("no label", each);
  for (const each of all("svg")) {
    if (each.getAttribute("aria-hidden") !== "true" && !each.getAttribute("aria-label")) fault("no text for", each);
  }
  for (const each of all("[tabindex]")) if (each.tabIndex > 0) fault("a tab order of its own", each);
  for (const each of all("[aria-hidden=true]")) {
    if (each.querySelector("a, button, input, [tabindex='0']")) fault("can be reached, but is hidden", each);
  }
  for (const each of all("th")) if (!each.scope) fault("no scope", each);
  for (const each of all("button, select, input:not([type=checkbox]):not([type=radio]):not(.unseen)")) {
    const box = each.getBoundingClientRect();
    if (box.height < 24 || box.width < 24) fault("too small to hit", each);
  }
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) fault(`the id ${id} is there twice`);
  for (const attribute of ["for", "aria-describedby", "aria-labelledby"]) {
    for (const each of document.querySelectorAll(`[${attribute}]`)) {
      const missing = each.getAttribute(attribute).split(" ").filter((id) => !ids.includes(id));
      if (missing.length) fault(`there is no ${missing}`, each);
    }
  }
  return faults;
}

// Elements from calls, and a tree on the page brought to what a fresh one says, so that focus, scrolling and what a
// person has typed stay where they are while data come in.

const SVG = "http://www.w3.org/2000/svg";

// An element: h("a", {href: "#/jobs", on: {click}}, "Jobs"). `on` has handlers, `key` tells it from its siblings,
// `keep` leaves its children to whoever made them. Attributes that are null or false are left out.
export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

function build(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on") listen(node, value);
    else if (name === "key") node.key = String(value);
    else if (name === "keep") node.keep = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...flat(children));
  return node;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

function listen(node, handlers) {
  node.handlers ??= {};
  for (const type of Object.keys(handlers)) {
    if (!(type in node.handlers)) node.addEventListener(type, dispatch);
  }
  node.handlers = { ...node.handlers, ...handlers };
}

function dispatch(event) {
  return this.handlers[event.type]?.call(this, event);
}

// Bring the children of `host` to what `fresh` says.
export function show(host, ...fresh) {
  const holder = document.createDocumentFragment();
  holder.append(...flat(fresh));
  morphChildren(host, holder);
}

function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (child.key) keyed.set(child.key, child);
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const match = next.key ? keyed.get(next.key) : place;
    if (match && alike(match, next)) {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      morph(match, next);
    } else {
      old.insertBefore(next, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function alike(old, next) {
  return old.nodeName === next.nodeName && old.key === next.key && old.type === next.type;
}

function morph(old, next) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (next.handlers) listen(old, next.handlers);
  if (!old.keep) morphChildren(old, next);
}

let announcing;

// Have a screen reader say something when it has a moment.
export function announce(text) {
  const place = document.getElementById("announcer");
  clearTimeout(announcing);
  place.textContent = "";
  announcing = setTimeout(() => (place.textContent = text), 100);
}

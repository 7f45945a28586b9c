// The API, as this page uses it. The key is in this tab's session storage and in the Authorization header, nowhere else.

const ROOT = new URL("../", import.meta.url);
const KEY = "dropload-key";

let skew = 0; // milliseconds that the server's clock is ahead of ours

// An answer that says no. `retryAfter` is in seconds, null where the server does not say.
export class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

// No answer.
export class Offline extends Error {
  constructor() {
    super("The server cannot be reached.");
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export const serverNow = () => Date.now() + skew;

// An address of the API, whatever stage it is served under.
export const address = (path) => new URL(path.replace(/^\//, ""), ROOT);

// Ask, and return {data, retryAfter, status}. Throws Refused, Offline, or AbortError.
export async function ask(method, path, { query, body, signal, headers } = {}) {
  const url = address(path);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const sent = { Authorization: `Bearer ${key.get()}`, Accept: "application/json", ...headers };
  if (method === "POST") sent["Idempotency-Key"] = unique();
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { method, headers: sent, body: body && JSON.stringify(body), signal, cache: "no-store" });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Offline();
  }
  const date = Date.parse(answer.headers.get("Date"));
  if (date) skew = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
  const text = await answer.text().catch(() => {
    throw new Offline();
  });
  const data = parsed(text);
  const retryAfter = seconds(answer.headers.get("Retry-After"));
  if (!answer.ok) throw new Refused(answer.status, data ?? {}, retryAfter);
  return { data, retryAfter, status: answer.status };
}

// Where a route leads by its redirect: the address alone, of which nothing is fetched.
export async function target(path, { signal } = {}) {
  const answer = await fetch(address(path), { headers: { Authorization: `Bearer ${key.get()}` }, signal, cache: "no-store" });
  if (!answer.ok) throw new Refused(answer.status, parsed(await answer.text()) ?? {}, null);
  answer.body?.cancel();
  return answer.url;
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, body, options = {}) => ask("POST", path, { ...options, body });

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function seconds(text) {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

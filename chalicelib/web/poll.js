// Asks again and again, as often as the server asks for, less often while nobody looks, and ever less while it fails.

import { Offline, Refused } from "./api.js";

const HIDDEN = 60;
const SLOWEST = 60;

// Call `look` until `signal` is aborted. It returns the seconds to wait before the next look, or null to end.
// `onTrouble` is told what went wrong, and null when things are well again; trouble that waiting does not mend
// (a refusal, other than "not now") is thrown by the promise.
export async function poll(signal, look, onTrouble) {
  let failures = 0;
  while (!signal.aborted) {
    let wait;
    try {
      wait = await look();
      if (failures) onTrouble(null);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!passing(error)) throw error;
      failures += 1;
      wait = error.retryAfter ?? Math.min(2 ** failures, SLOWEST);
      onTrouble(error, wait);
    }
    if (wait === null) return;
    await pause(wait, signal);
  }
}

// Whether it may go away by itself.
export function passing(error) {
  return error instanceof Offline || (error instanceof Refused && (error.status >= 500 || error.status === 429));
}

// Have everybody who pauses look at once: something was changed from here.
export const stir = () => window.dispatchEvent(new Event("stir"));

// Wait these seconds, or longer while the page is hidden; cut short when it is looked at again, back on the network, or
// stirred.
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const hidden = document.hidden;
    const timer = setTimeout(done, 1000 * (hidden ? Math.max(seconds, HIDDEN) : seconds));
    function done() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("online", done);
      window.removeEventListener("stir", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    function seen() {
      if (!document.hidden) done();
    }
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("online", done);
    window.addEventListener("stir", done);
    signal.addEventListener("abort", done);
  });
}

// How fast a job is, from what was seen of it in the last half minute.

import { serverNow } from "./api.js";
import { ended } from "./parts.js";

const WINDOW = 30_000;
const seen = new Map(); // job id -> [{at, read, bytes}]

// Note how far a job is; call it with each answer.
export function note(job) {
  if (ended(job)) {
    seen.delete(job.id);
    return;
  }
  const at = serverNow();
  const samples = seen.get(job.id) ?? [];
  samples.push({ at, read: job.counts.read, bytes: job.progress.bytes_done });
  while (samples.length > 2 && samples[1].at < at - WINDOW) samples.shift();
  seen.set(job.id, samples);
}

// {records, seconds}: records a second, and how many seconds are left; null where nobody can tell.
export function rate(job) {
  const nobody = { records: null, seconds: null };
  if (!job.started_at || !job.counts.read) return nobody;
  const now = ended(job) ? Date.parse(job.finished_at) : serverNow();
  const samples = seen.get(job.id);
  const begun = { at: Date.parse(job.started_at), read: 0, bytes: 0 };
  let from = samples?.[0];
  // Batches are booked whole: until some were, the time since the start tells more.
  if (!from || from.bytes === job.progress.bytes_done || now - from.at < 3000) from = begun;
  const spent = (now - from.at) / 1000;
  if (!(spent > 0)) return nobody;
  const records = (job.counts.read - from.read) / spent;
  const speed = (job.progress.bytes_done - from.bytes) / spent;
  const left = job.progress.bytes_total === null ? null : job.progress.bytes_total - job.progress.bytes_done;
  return {
    records: records > 0 ? records : null,
    seconds: !ended(job) && left !== null && speed > 0 ? left / speed : null,
  };
}

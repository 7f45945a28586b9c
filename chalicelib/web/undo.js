// Taking back what a job did to its table: the plan is shown, and just that is done.

import { get, post } from "./api.js";
import { h } from "./dom.js";
import { question } from "./dialog.js";
import { counted } from "./format.js";

const DOES = [
  ["deleted", "that it made will be deleted"],
  ["restored", "that it changed will have their earlier values"],
  ["subtracted", "will be reduced by what it added"],
];
const LEAVES = [
  ["changed", "will stay: they were changed since"],
  ["held", "will stay: other rows refer to them"],
  ["gone", "are gone already"],
  ["refused", "will stay: the table has a rule against it"],
];

export const undoable = (job) =>
  job.state.startsWith("COMPLETED") && !job.validate_only && !job.undone && job.counts.inserted + job.counts.updated > 0;

// Ask, and undo. Resolves to the job as it is then, or undefined.
export async function undo(job, signal) {
  const plan = (await get(`v1/jobs/${job}/undo`, { signal })).data;
  const rows = [...DOES, ...LEAVES].filter(([kind]) => plan.rows[kind]);
  const content = plan.possible
    ? h("ul", { class: "dots" }, rows.map(([kind, what]) => h("li", {}, `${counted(plan.rows[kind], "row")} ${what}.`)))
    : h("p", {}, `It cannot be undone: ${plan.reason.message}.`);
  return question({
    title: "Undo what this file did?",
    content,
    yes: plan.possible ? "Undo it" : null,
    grave: true,
    run: async () => (await post(`v1/jobs/${job}/undo`, { token: plan.token }, { signal })).data,
  });
}

// What became of an undo that was asked for; null where there was none.
export function undone(job) {
  if (!job.undone) return null;
  const { finished_at: finished, reason, counts } = job.undone;
  if (reason) return h("p", { class: "notice warn", key: "undone" }, `It was not undone: ${reason.message}.`);
  if (!finished) return h("p", { class: "notice busy", key: "undone" }, "It is being undone.");
  const words = [...DOES, ...LEAVES].filter(([kind]) => counts[kind]).map(([kind]) => `${counted(counts[kind], "row")} ${kind}`);
  return h("p", { class: "notice", key: "undone" }, `It was undone: ${words.join(", ") || "there was nothing left to do"}.`);
}

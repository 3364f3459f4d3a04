// What can be done to alerts: dismissed, snoozed, opened again; one or many, with a note.

import { dialog } from "./dialog.js";
import { h } from "./dom.js";
import { labelled } from "./form.js";
import { post } from "./http.js";
import { toast } from "./toast.js";
import { plural } from "./words.js";

const SPANS = [["1 hour", "hour", 1], ["4 hours", "hour", 4], ["1 day", "day", 1], ["3 days", "day", 3], ["1 week", "week", 1], ["30 days", "day", 30]];
const WORDS = { dismiss: ["Dismiss", "dismissed"], snooze: ["Snooze", "snoozed"], reopen: ["Reopen", "reopened"] };

/**
 * Ask for a note, and give the order. `alerts`: those chosen; `all`: {total, filters} when every one that the list shows may be meant.
 * Gives true once it is done.
 */
export function order(action, alerts, all = null) {
  const [label, done] = WORDS[action];
  const note = h("textarea", { rows: 3, maxlength: 4000, placeholder: action === "reopen" ? "" : "Why, for those who look later" });
  const span = h("select", SPANS.map(([words], i) => h("option", { value: i, selected: i === 2 }, words)));
  const every = h("input", { type: "checkbox" });
  const open = alerts.filter((each) => each.status !== "resolved");
  const left = alerts.length - open.length;
  const box = dialog({
    title: `${label} ${plural(open.length, "alert")}`,
    body: [
      left ? h("p.muted", `${plural(left, "alert")} of those chosen ${left === 1 ? "is" : "are"} resolved: nothing is to be done about ${left === 1 ? "it" : "them"}.`) : null,
      action === "snooze" ? labelled("For", span, { hint: "Then it opens again by itself, if it isn't resolved by then." }) : null,
      labelled("Note", note),
      all && all.total > alerts.length ? h("label.check", every, `All ${plural(all.total, "alert")} that the filters show, also on other pages`) : null,
    ],
    actions: [{ label, kind: "main", act: async () => {
      if (!open.length && !every.checked) throw new Error("There is nothing to do: all of them are resolved.");
      const body = every.checked ? { filter: { filters: all.filters } } : { alerts: open.map((each) => each.id) };
      body.dismissalNote = note.value.trim();
      if (action === "snooze") body.dismissalTimeRange = { type: "relative", value: { unit: SPANS[span.value][1], amount: SPANS[span.value][2] } };
      await post(action === "reopen" ? "/alert/reopen" : "/alert/dismiss", body);
      toast(`${plural(every.checked ? all.total : open.length, "alert")} ${done}`);
    } }],
  });
  note.focus();
  return box.done;
}

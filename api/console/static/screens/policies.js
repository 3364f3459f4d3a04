// Policies: what is wrong when a resource violates them; those that come with Tidegate, and one's own.

import { menu } from "../dialog.js";
import { fill, h } from "../dom.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href, setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { CLOUDS, SEVERITIES, cloud, number, severity, when } from "../words.js";
import { finder, flick, objects, readers, remove, write } from "./objects.js";

const NEW = "/policies/new";
const WORST = Object.fromEntries(SEVERITIES.map((each, i) => [each, i]));

export async function show({ root, query, signal }) {
  const chosen = { severity: query.getAll("severity"), cloud: query.getAll("cloud"), from: query.getAll("from"), state: query.getAll("state") };
  let text = query.get("q") || "";
  const [found, { ids }] = await Promise.all([objects("policy", signal), get(`${OURS}/shipped/policy`, {}, { signal })]);
  const shipped = new Set(ids);
  const mine = (each) => !shipped.has(each.id);
  let policies = found;
  let open = {};
  const place = h("div");
  const bar = h("div.filters", { role: "group", "aria-label": "Filters" });
  const add = mayChange() ? h("a.button.main", { href: href(NEW) }, icon("plus"), "Add policy") : null;

  function matches(each) {
    const of = { severity: each.object.severity, cloud: each.object.cloud || "any", from: mine(each) ? "own" : "shipped", state: each.object.enabled === false ? "disabled" : "enabled" };
    return Object.entries(chosen).every(([name, values]) => !values.length || values.includes(of[name]))
      && (!text || `${each.name} ${each.id} ${(each.object.labels || []).join(" ")} ${(each.object.compliance || []).map((one) => `${one.standard} ${one.requirement}`).join(" ")} ${each.object.rql}`.toLowerCase().includes(text));
  }

  function toggle(name, value) {
    chosen[name] = chosen[name].includes(value) ? chosen[name].filter((each) => each !== value) : [...chosen[name], value];
    setQuery({ ...chosen, q: text });
    filterBar();
    draw();
  }

  const find = finder("Search policies", (value) => { text = value; setQuery({ ...chosen, q: text }); draw(); }, text);
  function filterBar() {
    const clouds = [...new Set(policies.map((each) => each.object.cloud || "any"))].sort();
    const group = (name, label, options) => h("span.row", { role: "group", "aria-label": label }, options.map(([value, word]) => h("button.chip", { type: "button", "aria-pressed": String(chosen[name].includes(value)), onclick: () => toggle(name, value) }, word)));
    fill(bar, find, group("severity", "Severity", SEVERITIES.map((each) => [each, each])), group("cloud", "Cloud", clouds.map((each) => [each, CLOUDS[each] || "any cloud"])), group("from", "Whose", [["own", "own"], ["shipped", "Tidegate’s"]]), group("state", "State", [["disabled", "disabled"]]));
  }

  function more(each) {
    const button = h("button.plain", { type: "button", "aria-haspopup": "menu", "aria-label": `More for ${each.name}`, onclick: () => menu(button, [
      { label: mayChange() ? "Edit" : "Show", icon: "edit", act: () => go(`/policies/${encodeURIComponent(each.id)}`) },
      { label: "Copy", icon: "copy", act: () => go(`${NEW}?from=${encodeURIComponent(each.id)}`) },
      { label: "Its alerts", icon: "alerts", act: () => go(`/alerts?${new URLSearchParams([["alert.status", "open"], ["policy.name", each.name]])}`) },
      ...(each.version ? [{ label: mine(each) ? "Delete" : "Take changes back", icon: "trash", act: () => removePolicy(each, mine(each)).then(async (done) => { if (done) { policies = await objects("policy", signal); draw(); } }, oops) }] : []),
    ]) }, icon("more"));
    return button;
  }

  function draw() {
    const shown = policies.filter(matches).sort((a, b) => WORST[a.object.severity] - WORST[b.object.severity] || a.name.localeCompare(b.name));
    fill(place, list({
      name: "policies", label: "Policies", signal, rows: shown,
      columns: [
        { id: "name", title: "Name", wide: true, text: (each) => each.name },
        { id: "severity", title: "Severity", cell: (each) => severity(each.object.severity), text: (each) => each.object.severity },
        { id: "cloud", title: "Cloud", cell: (each) => (each.object.cloud ? cloud(each.object.cloud) : h("span.muted", "any")), text: (each) => each.object.cloud || "" },
        { id: "open", title: "Open alerts", right: true, cell: (each) => (open[each.id] ? h("a", { href: href("/alerts", { "alert.status": "open", "policy.name": each.name }) }, number(open[each.id])) : h("span.muted", "–")), text: (each) => open[each.id] || 0 },
        { id: "standards", title: "Standards", hidden: true, text: (each) => (each.object.compliance || []).map((one) => `${one.standard} ${one.requirement}`).join("; ") },
        { id: "labels", title: "Labels", cell: (each) => h("span.row.tight-row", (each.object.labels || []).slice(0, 2).map((one) => h("span.tag", one))), text: (each) => (each.object.labels || []).join(", ") },
        { id: "whose", title: "Whose", cell: (each) => (mine(each) ? ["own", h("span.sub", each.changed_by)] : each.version ? ["changed", h("span.sub", when(each.changed_at))] : h("span.muted.nowrap", "Tidegate")), text: (each) => each.origin },
        { id: "enabled", title: "Enabled", cell: (each) => flick(`${each.name} enabled`, each.object.enabled !== false, async (on) => { const done = await write("policy", each.id, { enabled: on }, undefined, { merge: true }); each.version = done.version; each.object.enabled = on; toast(`${each.name} is ${on ? "enabled: it is evaluated now" : "disabled: its open alerts resolve"}`); }), text: (each) => String(each.object.enabled !== false) },
        { id: "more", title: "More", cell: more, text: () => "" },
      ],
      open: (each) => href(`/policies/${encodeURIComponent(each.id)}`),
      nothing: empty("No policy matches", "Take a filter away, or write one of your own.", add?.cloneNode(true)),
    }).element);
  }

  fill(root, heading("Policies", { about: "Each is a query: what it finds, violates it. Enabled ones are evaluated all the time.", actions: [add] }), readers(), bar, place);
  filterBar();
  draw();
  if (mayChange()) bindFor(signal, "c", "Add a policy", () => go(NEW));
  post("/alert/policy", { filters: [{ name: "alert.status", operator: "=", value: "open" }], timeRange: { type: "to_now", value: "epoch" } }, { signal }).then((told) => { open = Object.fromEntries(told.map((each) => [each.policyId, each.alertCount])); draw(); }).catch(() => {});
}

/** Delete a policy of one's own, or take back what was changed of one that comes with Tidegate. */
export const removePolicy = (each, own) => remove("policy", each.id, each.name, own
  ? "Its open alerts resolve. An alert rule that names it keeps it from going: take it out there first."
  : "It comes with Tidegate: what was changed of it is taken back, and it is as it came.");

// One policy: what it says, the query that finds who violates it, checked while it is written, and what it would find now.

import { fill, h, settled } from "../dom.js";
import { editor } from "../editor.js";
import { labelled } from "../form.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { heading, panel } from "../states.js";
import { oops, toast } from "../toast.js";
import { CLOUDS, SEVERITIES, number, plural } from "../words.js";
import { create, flick, object, readers, write } from "./objects.js";
import { removePolicy } from "./policies.js";

const SHOWN = 12;

export async function show({ root, params, query, signal, name }) {
  const source = params.id || query.get("from");
  const [known, { ids }] = await Promise.all([source ? object("policy", source, signal) : null, get(`${OURS}/shipped/policy`, {}, { signal })]);
  const old = params.id ? known : null;
  const own = !old || !ids.includes(old.id);
  const begun = known ? { ...known.object, ...(old ? {} : { name: `Copy of ${known.name}` }) } : { severity: "medium", enabled: true };
  const may = mayChange();
  name(old ? old.name : "New policy");

  const title = h("input", { type: "text", value: begun.name || "", autocomplete: "off" });
  const level = h("select", SEVERITIES.map((each) => h("option", { value: each, selected: each === begun.severity }, each)));
  const cloud = h("select", h("option", { value: "" }, "any"), Object.entries(CLOUDS).filter(([id]) => id !== "alibaba_cloud").map(([id, word]) => h("option", { value: id, selected: id === begun.cloud }, word)));
  const about = h("textarea", { rows: 3, value: begun.description || "" });
  const mend = h("textarea", { rows: 3, value: begun.recommendation || "" });
  const labels = h("input", { type: "text", value: (begun.labels || []).join(", "), placeholder: "storage, internet-exposed" });
  const standards = h("textarea", { rows: 2, spellcheck: "false", value: (begun.compliance || []).map((each) => `${each.standard}: ${each.requirement}`).join("\n"), placeholder: "CIS Amazon Web Services Foundations Benchmark 3.0.0: 5.6" });
  const rql = editor({ value: begun.rql || query.get("rql") || "config from cloud.resource where ", signal, onchange: () => look(), run: () => preview() });
  const found = h("div", { "aria-live": "polite" });
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const save = h("button.main", { type: "submit" }, icon("save"), "Save");

  async function preview() {
    const text = rql.value().trim();
    if (!text || / where$/.test(text)) { fill(found, h("p.muted", "Write the query: what it finds is shown here.")); return; }
    found.setAttribute("aria-busy", "true");
    try {
      const told = await post(`${OURS}/rql`, { query: text, limit: SHOWN }, { signal });
      rql.fail(null);
      draw(told);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.span) fill(found, h("p.muted", "The query can't be answered yet."), error.drawing ? h("pre", error.drawing) : null);
      else fill(found, h("p.wrong", error.message));
    } finally {
      found.removeAttribute("aria-busy");
    }
  }
  const look = settled(preview, 700);

  function draw(told) {
    const at = Object.fromEntries(told.columns.map((each, i) => [each, i]));
    const total = told.total ?? told.rows.length;
    fill(found,
      h("p.figure", number(total), h("span.muted", total === 1 ? " resource violates it now" : " resources violate it now")),
      told.rows.length ? h("ul.channels", told.rows.map((row) => h("li", "rrn" in at ? h("a", { href: href("/resource", { rrn: row[at.rrn] }), target: "_blank" }, row[at.name] || row[at.id]) : h("span", String(row[0])), "account" in at ? h("span.sub", [row[at["api.name"]], row[at.account], row[at.region]].filter(Boolean).join(", ")) : null))) : h("p.muted", "Nothing does. Is that what you expect?"),
      total > told.rows.length ? h("p.hint", `and ${number(total - told.rows.length)} more. `, h("a", { href: href("/investigate", { query: rql.value() }), target: "_blank" }, "See all in Investigate")) : null,
      (told.notes || []).map((each) => h("p.hint", each)),
      told.whole ? null : h("p.hint", "Of the accounts that this process has."),
      old ? null : h("p.hint", `Saved and enabled, it raises ${plural(total, "alert")} where an alert rule covers it.`));
  }

  function value() {
    const compliance = standards.value.split("\n").map((each) => each.trim()).filter(Boolean).map((line) => { const cut = line.lastIndexOf(":"); return cut > 0 ? { standard: line.slice(0, cut).trim(), requirement: line.slice(cut + 1).trim() } : { standard: line, requirement: "" }; });
    return { ...begun, name: title.value.trim(), severity: level.value, cloud: cloud.value || null, description: about.value.trim(), recommendation: mend.value.trim(), rql: rql.value().trim(), labels: labels.value.split(",").map((each) => each.trim()).filter(Boolean), compliance };
  }

  async function keep(event) {
    event?.preventDefault();
    if (!may) return;
    wrong.hidden = true;
    root.querySelectorAll(".wrong.small").forEach((each) => each.remove());
    save.disabled = true;
    try {
      const fields = value();
      const done = old ? await write("policy", old.id, fields, old.version) : await create("policy", { ...fields, id: undefined });
      toast(`${done.name} is saved`);
      go("/policies");
    } catch (error) {
      fail(error.message);
    } finally {
      save.disabled = false;
    }
  }

  /** Put each line of an error at the field that it names. */
  function fail(message) {
    const left = [];
    for (const line of String(message).replace(/policy \S+: /g, "").split(/;\s+(?=[a-z_]+: )|\n(?=[a-z_]+: )/)) {
      const field = root.querySelector(`[data-path="${/^([a-z_]+)/.exec(line)?.[1] || "-"}"]`);
      if (!field) { left.push(line); continue; }
      field.append(h("p.wrong.small", line));
      field.querySelector("input, select, textarea")?.focus();
    }
    if (left.length || !message) { fill(wrong, left.join("\n") || "It couldn't be saved."); wrong.hidden = false; }
    if (/^rql|: rql/.test(message)) rql.check();
  }

  const actions = old ? [
    flick(`${old.name} enabled`, old.object.enabled !== false, async (on) => { const done = await write("policy", old.id, { enabled: on }, old.version, { merge: true }); old.version = done.version; begun.enabled = on; toast(`${old.name} is ${on ? "enabled" : "disabled: its open alerts resolve"}`); }),
    may ? h("a.button", { href: href("/policies/new", { from: old.id }) }, icon("copy"), "Copy") : null,
    may && old.version ? h("button", { type: "button", onclick: () => removePolicy(old, own).then((done) => done && go("/policies"), oops) }, icon("trash"), own ? "Delete" : "Take changes back") : null,
  ] : [];
  fill(root,
    heading(old ? old.name : "New policy", { about: old ? (own ? `${old.id}, changed by ${old.changed_by}` : `${old.id}, comes with Tidegate${old.version ? ", changed here" : ""}`) : "What the query finds, violates the policy.", actions }), readers(),
    h("div.beside.wizard",
      panel("", {}, h("form.stack", { novalidate: true, onsubmit: keep }, h("fieldset.plainly", { disabled: !may },
        labelled("Name", title, { required: true, path: "name" }), h("div.pair-wide", labelled("Severity", level, { path: "severity" }), labelled("Cloud", cloud, { path: "cloud" })),
        h("div.field", { data: { path: "rql" } }, h("span.field-name", "Query"), rql.element, h("p.hint", "Ctrl Space completes. It is checked while you write.")),
        labelled("What is wrong, and why it matters", about, { required: true, path: "description" }), labelled("How to mend it", mend, { required: true, path: "recommendation" }),
        labelled("Labels", labels, { hint: "By commas: alert rules choose by them.", path: "labels" }), labelled("Requirements that it checks", standards, { hint: "One a line: standard, colon, requirement.", path: "compliance" })), wrong,
      may ? h("div.foot", h("span.spacer"), h("a.button", { href: href("/policies") }, "Cancel"), save) : null)),
      panel("What would match", { actions: [h("button.plain", { type: "button", onclick: preview }, icon("refresh"), "Look again")] }, found),
      old?.used_by?.length ? panel("Who names it", {}, h("ul.dotted", old.used_by.map((each) => h("li", each)))) : null));
  preview();
  if (may) bindFor(signal, "mod+s", "Save", keep, { typing: true });
  if (!old) title.focus();
}

// One notification template: its fields by state, fetched from the ticket system, shown with a real alert, and tested.

import { fill, h, settled } from "../dom.js";
import { labelled } from "../form.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { heading, panel, tabs } from "../states.js";
import { oops, toast } from "../toast.js";
import { create, object, objects, readers, write } from "./objects.js";
import { TYPES, removeTemplate } from "./templates.js";

const STATES = { basic: "Always", open: "Open", resolved: "Resolved", dismissed: "Dismissed", snoozed: "Snoozed" };
const START = {
  jira: { basic: [["project", "Project", true, ""], ["issueType", "Issue type", true, "Task"]], open: [["summary", "Summary", true, "${Severity}: ${PolicyName}"], ["description", "Description", false, "${PolicyDescription}\n\nRecommended: ${PolicyRecommendation}\n\nAccount ${AccountId}, resource ${ResourceName}"]], resolved: [] },
  service_now: { basic: [["incidentType", "Table", true, "incident"]], open: [["short_description", "Short description", true, "${Severity}: ${PolicyName}"]], resolved: [["close_code", "Resolution code", false, ""]] },
};
const VARIABLES = ["Severity", "PolicyName", "PolicyDescription", "PolicyRecommendation", "ResourceName", "ResourceId", "AccountId", "AlertId", "Status", "CallbackUrl"];

export async function show({ root, params, signal, name }) {
  const [known, integrations, { alerts }] = await Promise.all([params.id ? object("notification-template", params.id, signal) : null, objects("integration", signal), get(`${OURS}/alerts`, { limit: 20 }, { signal })]);
  const may = mayChange();
  name(known ? known.name : "New template");
  const begun = known ? known.object : { enabled: true };
  const fit = (type) => integrations.filter((each) => each.object.type === type.replace("_", ""));
  const first = begun.type || (fit("jira").length || !fit("service_now").length ? "jira" : "service_now");
  const fields = Object.fromEntries(Object.keys(STATES).map((state) => [state, known ? structuredClone(begun[state] || []) : made(first, state)]));
  let variables = VARIABLES;

  const title = h("input", { type: "text", value: begun.name || "", autocomplete: "off", placeholder: "Security ticket" });
  const type = h("select", { disabled: Boolean(known), onchange: () => { for (const state of Object.keys(STATES)) fields[state] = made(type.value, state); offer(); states.choose(shown, false); changed(); } }, ["jira", "service_now"].map((each) => h("option", { value: each, selected: each === first }, TYPES[each])));
  const integration = h("select", { onchange: () => { offer(integration.value); changed(); } });
  const fetchButton = h("button", { type: "button", onclick: fetchFields }, icon("download"), "Fetch its fields");
  const testButton = h("button", { type: "button", onclick: test }, icon("play"), "Test");
  const save = h("button.main", { type: "submit" }, icon("save"), "Save");
  const alert = h("select", { "aria-label": "Alert", onchange: () => look() }, h("option", { value: "" }, "a made-up alert"), alerts.map((each, i) => h("option", { value: each.id, selected: i === 0 }, `${each.policy_name || each.policy?.name || each.policy}: ${each.resource?.name || each.resource || ""} (${each.status})`)));
  const preview = h("div", { "aria-live": "polite" });
  const said = h("div.said", { role: "status" });
  let shown = "open";

  function offer(chosen = begun.integration || "") {
    const options = fit(type.value);
    fill(integration, h("option", { value: "" }, `any ${TYPES[type.value]} integration`), options.map((each) => h("option", { value: each.id, selected: each.id === chosen }, each.name)));
    fetchButton.disabled = testButton.disabled = !options.length;
    fetchButton.title = options.length ? "" : `Add a ${TYPES[type.value]} integration first`;
  }
  const asked = () => integration.value || fit(type.value)[0]?.id || "";

  async function fetchFields() {
    fill(said, h("p.waiting", "Asking…"));
    fetchButton.disabled = true;
    try {
      const told = await get(`${OURS}/integrations/${encodeURIComponent(asked())}/fields`, {}, { signal });
      variables = told.variables;
      let n = 0;
      for (const state of ["basic", "open", "resolved"]) {
        for (const each of told[state]) {
          const there = fields[state].find((one) => one.field === each.field);
          if (there) {
            const can = !each.options?.length || each.options.some((one) => [one.name, one.key, one.id].includes(there.value));
            Object.assign(there, { ...each, value: (can && there.value) || each.value || "" });
          }
          else if (each.required || ["summary", "description", "short_description"].includes(each.field)) { fields[state].push(each); n += 1; }
        }
        known_[state] = told[state];
      }
      fill(said, h("p.verdict", { data: { state: "ok" } }, icon("check"), h("span", `${n ? `${n} required or usual fields were added. ` : ""}The others are offered by “Add a field”.`)));
      states.choose(shown, false);
      changed();
    } catch (error) {
      if (error.name !== "AbortError") fill(said, h("p.wrong", { role: "alert" }, error.message));
    } finally {
      fetchButton.disabled = false;
    }
  }
  const known_ = {};

  async function test() {
    fill(said, h("p.waiting", "Testing…"));
    try {
      const told = await post(`${OURS}/notification-templates/test`, { template: value(), integration: asked() }, { signal });
      fill(said, h("p.verdict", { data: { state: told.ok ? "ok" : "bad" } }, icon(told.ok ? "check" : "close"), h("span", h("strong", told.ok ? "It would be taken" : "It wouldn't be taken"), told.message ? `: ${told.message}` : "")));
    } catch (error) {
      if (error.name !== "AbortError") fill(said, h("p.wrong", { role: "alert" }, clean(error.message)));
    }
  }

  function value() {
    const lists = Object.fromEntries(Object.keys(STATES).map((state) => [state, fields[state].filter((each) => each.field)]));
    return { ...begun, id: undefined, name: title.value.trim() || "Untitled", type: type.value, integration: integration.value, ...lists };
  }

  const look = settled(async () => {
    try {
      const told = await post(`${OURS}/templates/preview`, { document: { ...value(), id: undefined }, alert: alert.value }, { signal });
      fill(preview, told.works ? null : h("p.hintbar.warned", "As it is, the ticket would have the destination's own form: something in these fields is wrong."), Object.entries(STATES).map(([state, word]) => {
        const some = told.fields.filter((each) => each.state === state && (each.text || each.wrong));
        return some.length ? h("section.shown-state", { class: state === "basic" || state === told.status ? null : "later" }, h("h3", word, state === told.status ? h("span.muted", " this alert's state") : null), h("dl.ticket", some.map((each) => h("div", h("dt", each.label || each.field), h("dd", each.text || h("span.muted", "empty"), each.wrong ? h("p.wrong.small", `${each.line ? `line ${each.line}: ` : ""}${each.wrong}`) : null))))) : null;
      }));
    } catch (error) {
      if (error.name !== "AbortError") fill(preview, h("p.wrong", clean(error.message)));
    }
  }, 300);
  const changed = () => look();

  function row(state, each) {
    const own = !each.label || !known_[state]?.some((one) => one.field === each.field);
    const input = each.options?.length && !/[$\n]|\{\{/.test(each.value || "")
      ? h("select", { "aria-label": each.label || each.field }, h("option", { value: "" }, "–"), each.options.map((one) => h("option", { value: one.name || one.key || one.id, selected: [one.name, one.key, one.id].includes(each.value) }, one.name || one.key || one.id)))
      : h("textarea", { rows: String(each.value || "").includes("\n") ? 5 : 1, "aria-label": `Value of ${each.label || each.field || "the field"}`, value: each.value || "", spellcheck: "false", maxlength: null });
    input.addEventListener("input", () => { each.value = input.value; changed(); });
    const id = own ? h("input", { type: "text", "aria-label": "Field", placeholder: "customfield_10010", value: each.field || "", oninput: (event) => { each.field = event.target.value.trim(); changed(); } }) : null;
    const line = h("div.template-field",
      h("div.template-name", id || h("strong", each.label || each.field, each.required ? h("span.needed", " *") : null), own ? null : h("span.sub", each.field)),
      h("div", input, input.tagName === "TEXTAREA" ? variable(input, each) : null),
      h("button.plain", { type: "button", "aria-label": `Remove ${each.label || each.field || "the field"}`, onclick: () => { fields[state].splice(fields[state].indexOf(each), 1); line.remove(); changed(); } }, icon("trash")));
    return line;
  }

  function variable(input, each) {
    return h("select.insert", { "aria-label": "Insert a value of the alert", onchange: (event) => {
      if (!event.target.value) return;
      input.setRangeText(`\${${event.target.value}}`, input.selectionStart, input.selectionEnd, "end");
      each.value = input.value;
      event.target.value = "";
      input.focus();
      changed();
    } }, h("option", { value: "" }, "Insert…"), variables.map((one) => h("option", { value: one }, one)));
  }

  const states = tabs(Object.entries(STATES).map(([state, word]) => ({ id: state, title: word, show: (body) => {
    shown = state;
    const place = h("div.template-fields", fields[state].map((each) => row(state, each)));
    const rest = (known_[state] || []).filter((each) => !fields[state].some((one) => one.field === each.field));
    const append = (each) => { fields[state].push(each); place.append(row(state, each)); place.lastChild.querySelector("input, select, textarea")?.focus(); changed(); };
    fill(body, h("div.inset", h("fieldset.plainly", { disabled: !may }, fields[state].length ? null : h("p.muted", state === "basic" ? "Nothing is the same in every state." : `Nothing is set of ${word.toLowerCase()} alerts.`), place,
      may ? h("div.row", rest.length ? h("select.insert", { "aria-label": "Add a field", onchange: (event) => { const each = rest.find((one) => one.field === event.target.value); if (each) { append({ ...each }); event.target.selectedOptions[0].remove(); event.target.value = ""; } } }, h("option", { value: "" }, "Add a field…"), rest.map((each) => h("option", { value: each.field }, `${each.label} (${each.field})`))) : null, h("button", { type: "button", onclick: () => append({ field: "", value: "" }) }, icon("plus"), rest.length ? "Another field" : "Add a field")) : null)));
  } })), { chosen: shown, label: "States of an alert" });

  async function keep(event) {
    event?.preventDefault();
    if (!may) return;
    if (!title.value.trim()) { fill(said, h("p.wrong", { role: "alert" }, "Name: give it one, alert rules name it.")); title.focus(); return; }
    save.disabled = true;
    try {
      const done = known ? await write("notification-template", known.id, value(), known.version) : await create("notification-template", value());
      toast(`${done.name} is saved. Choose it in a channel of an alert rule.`);
      go("/templates");
    } catch (error) {
      fill(said, h("p.wrong", { role: "alert" }, clean(error.message)));
    } finally {
      save.disabled = false;
    }
  }

  offer();
  fill(root, heading(known ? known.name : "New template", { about: "Texts may hold values of the alert, such as ${Severity}, and {{ ... }} with conditions and loops.", actions: known && may ? [h("button", { type: "button", onclick: () => removeTemplate(known, known.used_by).then((done) => done && go("/templates"), oops) }, icon("trash"), "Delete")] : [] }), readers(),
    h("div.beside.wizard",
      h("form.panel", { novalidate: true, onsubmit: keep }, h("div.panel-body", h("fieldset.plainly", { disabled: !may }, labelled("Name", title, { required: true }), h("div.pair-wide", labelled("For", type), labelled("Integration", integration, { hint: "Whose fields and values it has." })), may ? h("div.row", fetchButton, fit(first).length ? null : h("span.muted", `There is no ${TYPES[first]} integration yet: `, h("a", { href: href("/settings/integrations/new") }, "add one"), " to fetch its fields.")) : null)), states.element, h("div.panel-body", said, may ? h("div.foot", h("span.spacer"), h("a.button", { href: href("/templates") }, "Cancel"), testButton, save) : null)),
      panel("With a real alert", {}, h("div.field", alert), preview)));
  look();
  if (may) bindFor(signal, "mod+s", "Save", keep, { typing: true });
  if (!known) title.focus();
}

const made = (type, state) => (START[type]?.[state] || []).map(([field, label, required, value]) => ({ field, label, required, value }));
const clean = (message) => String(message).replace(/notification-template \S+: /g, "");

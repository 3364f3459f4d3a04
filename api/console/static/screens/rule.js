// One alert rule as a wizard: where, which violations, who hears of them; beside it what that would cover now.

import { fill, h, settled } from "../dom.js";
import { labelled } from "../form.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { heading, panel } from "../states.js";
import { oops, toast } from "../toast.js";
import { CLOUDS, SEVERITIES, STATUSES, number, plural, severity } from "../words.js";
import { create, flick, object, objects, readers, write } from "./objects.js";
import { chips, picker } from "./picker.js";
import { removeRule } from "./rules.js";

const STEPS = ["Where", "Violations", "Channels", "Review"];
const DIGESTS = [["", "as it happens"], ["hourly", "one message every hour"], ["daily", "one message every day at 8"], ["weekly", "one message every Monday at 8"], ["monthly", "one message on the 1st at 8"], ["own", "by a schedule of its own"]];
const UNITS = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]];
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export async function show({ root, params, query, signal, name }) {
  const source = params.id || query.get("from");
  const [known, accounts, groups, lists, policies, integrations, templates, { types }] = await Promise.all([
    source ? object("alert-rule", source, signal) : null, ...["cloud-account", "account-group", "resource-list", "policy", "integration", "notification-template"].map((kind) => objects(kind, signal)), get(`${OURS}/integration-types`, {}, { signal }),
  ]);
  const old = params.id ? known : null;
  const begun = known ? { ...known.object, ...(old ? {} : { name: `Copy of ${known.name}` }) } : {};
  const may = mayChange();
  name(old ? old.name : "New alert rule");
  let at = 0;
  const unique = (values) => [...new Set(values.flat().filter(Boolean))].sort().map((id) => ({ id }));
  const accountOptions = accounts.map((each) => ({ id: each.id, name: each.name, about: each.name === each.id ? each.object.cloud : `${each.id}, ${each.object.cloud}` }));
  const wanted = (key, label, options, more = {}) => picker({ label, options, value: begun[key] || [], onchange: changed, path: key, ...more });

  const title = h("input", { type: "text", value: begun.name || "", autocomplete: "off", placeholder: "Critical to the SOC", oninput: changed });
  const where = {
    clouds: chips({ label: "Clouds", options: Object.entries(CLOUDS).filter(([id]) => id !== "alibaba_cloud"), value: begun.clouds || [], none: "all of them", onchange: changed, path: "clouds" }),
    account_groups: wanted("account_groups", "Account groups", groups.map((each) => ({ id: each.id, name: each.name })), { none: "All accounts" }),
    accounts: wanted("accounts", "Accounts besides", accountOptions, { none: "None", free: true }),
    excluded_accounts: wanted("excluded_accounts", "Accounts left out", accountOptions, { none: "None", free: true }),
    regions: wanted("regions", "Regions", unique([["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "westeurope", "europe-west1"]]), { none: "All regions", free: true }),
    resource_lists: wanted("resource_lists", "Resource lists", lists.map((each) => ({ id: each.id, name: each.name })), { none: "Whatever its tags" }),
  };
  const tags = h("textarea", { rows: 2, spellcheck: "false", placeholder: "team=shop, payments", oninput: changed, value: Object.entries(begun.tags || {}).map(([key, value]) => ([value].flat().length ? `${key}=${[value].flat().join(", ")}` : key)).join("\n") });
  const which = {
    severities: chips({ label: "Severities", options: SEVERITIES.map((each) => [each, each]), value: begun.severities || [], none: "all of them", onchange: changed, path: "severities" }),
    policies: wanted("policies", "Policies", policies.map((each) => ({ id: each.id, name: each.name, about: each.object.severity })), { none: "All policies, those of tomorrow too" }),
    labels: wanted("labels", "Labels, of which a policy must have one", unique(policies.map((each) => each.object.labels || [])), { none: "Any" }),
    standards: wanted("standards", "Compliance standards", unique(policies.map((each) => (each.object.compliance || []).map((one) => one.standard))), { none: "Any" }),
    excluded_policies: wanted("excluded_policies", "Policies left out", policies.map((each) => ({ id: each.id, name: each.name, about: each.object.severity })), { none: "None" }),
  };
  const [unit] = UNITS.find(([size]) => begun.delay_s && begun.delay_s % size === 0) || [60];
  const delay = h("input", { type: "number", min: 0, max: 10000, value: String((begun.delay_s || 0) / unit), oninput: changed, "aria-label": "Delay" });
  const delayUnit = h("select", { "aria-label": "Unit of the delay", onchange: changed }, UNITS.map(([size, word]) => h("option", { value: size, selected: size === unit }, word)));
  const channels = h("div.stack");
  const entries = [];
  (begun.channels || []).forEach((each) => channel(each));

  function channel(value = {}) {
    const integration = h("select", { "aria-label": "Integration", onchange: () => { offer(); changed(); } }, h("option", { value: "" }, "Choose an integration"), integrations.map((each) => h("option", { value: each.id, selected: each.id === value.integration }, each.name)));
    const template = h("select", { "aria-label": "Template", onchange: changed });
    const states = chips({ label: "Told of", options: STATUSES.map((each) => [each, each]), value: value.states || ["open"], onchange: changed });
    const known_ = DIGESTS.some(([id]) => id === value.digest?.schedule);
    const digest = h("select", { "aria-label": "When", onchange: () => { when(); changed(); } }, DIGESTS.map(([id, word]) => h("option", { value: id, selected: value.digest ? (known_ ? id === value.digest.schedule : id === "own") : id === "" }, word)));
    const own = h("input", { type: "text", "aria-label": "Schedule as an RRULE", placeholder: "FREQ=DAILY;BYHOUR=17;BYMINUTE=30", value: value.digest && !known_ ? value.digest.schedule : "", oninput: changed });
    const zone = h("input", { type: "text", "aria-label": "Time zone", value: value.digest?.zone || HERE, oninput: changed });
    const most = h("input", { type: "number", min: 1, "aria-label": "Most messages an hour", placeholder: "no limit", value: value.most_an_hour ?? "", oninput: changed });
    const templateField = labelled("Template", template, { hint: "How its tickets look." });
    const ownField = labelled("RRULE", own);
    const zoneField = labelled("Time zone", zone);
    const mostField = labelled("Most messages an hour", most, { hint: "The rest is one message at the hour's end." });
    const when = () => { ownField.hidden = digest.value !== "own"; zoneField.hidden = !digest.value; mostField.hidden = Boolean(digest.value); };
    const offer = () => {
      const type = integrations.find((each) => each.id === integration.value)?.object.type;
      const fitting = templates.filter((each) => each.object.type.replace("_", "") === type && (!each.object.integration || each.object.integration === integration.value));
      templateField.hidden = !types.find((each) => each.type === type && each.direction === "out")?.templates;
      fill(template, h("option", { value: "" }, "the destination's own form"), fitting.map((each) => h("option", { value: each.id, selected: each.id === value.template }, each.name)));
    };
    const one = {
      element: h("div.entry.channel", h("div.fields", h("div.pair-wide", labelled("Integration", integration), templateField), states.element, h("div.pair-wide", labelled("When", digest), ownField, zoneField, mostField)), h("button.plain", { type: "button", "aria-label": "Remove this channel", onclick: () => { entries.splice(entries.indexOf(one), 1); one.element.remove(); changed(); } }, icon("trash"))),
      value: () => ({
        integration: integration.value, states: states.value(), ...(template.value ? { template: template.value } : {}),
        ...(digest.value ? { digest: { schedule: digest.value === "own" ? own.value.trim() : digest.value, zone: zone.value.trim() || "UTC" } } : most.value ? { most_an_hour: Number(most.value) } : {}),
      }),
    };
    offer();
    when();
    entries.push(one);
    channels.append(one.element);
  }

  function value() {
    const tagged = Object.fromEntries(tags.value.split("\n").map((each) => each.trim()).filter(Boolean).map((line) => { const [key, ...rest] = line.split("="); return [key.trim(), rest.join("=").split(",").map((each) => each.trim()).filter(Boolean)]; }));
    const parts = Object.fromEntries(Object.entries({ ...where, ...which }).map(([key, each]) => [key, each.value()]));
    return { ...begun, name: title.value.trim(), ...parts, tags: tagged, delay_s: Math.round(Number(delay.value || 0) * Number(delayUnit.value)), channels: entries.map((each) => each.value()).filter((each) => each.integration) };
  }

  const preview = h("div", { "aria-live": "polite" }, h("p.muted", "Looking…"));
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const look = settled(async () => {
    try {
      draw(await post(`${OURS}/alert-rules/preview`, { rule: { ...value(), name: title.value.trim() || "preview", id: undefined } }, { signal }));
    } catch (error) {
      if (error.name !== "AbortError") fill(preview, h("p.wrong", clean(error.message)));
    }
  }, 250);
  function changed() { wrong.hidden = true; look(); }

  function draw(told) {
    const max = Math.max(told.open_alerts, 1);
    fill(preview,
      h("p.figure", number(told.open_alerts), h("span.muted", ` of ${plural(told.total, "open alert")}`)),
      h("div.split", { "aria-hidden": "true" }, Object.entries(told.severities).map(([id, n]) => h("span", { data: { tone: id }, style: { "flex-grow": String(n / max) } }))),
      h("ul.split-words", Object.entries(told.severities).map(([id, n]) => h("li", severity(id), number(n)))),
      h("p.space", `${plural(told.policies, "policy", "policies")}, ${plural(told.accounts, "account")}.`, told.looked_at < told.total ? h("span.muted", ` The ${number(told.looked_at)} that changed last were looked at.`) : null),
      told.alerts.length ? h("ul.channels", told.alerts.slice(0, 5).map((each) => h("li", severity(each.severity), h("a", { href: href(`/alerts/${encodeURIComponent(each.id)}`), target: "_blank" }, each.policy), h("span.sub", `${each.resource} in ${each.account}`)))) : h("p.muted", "No open alert matches. That may be as it should: the rule is there for those that come."),
      h("h3.space", "Who would hear of it"),
      told.channels.length ? h("ul.dotted", told.channels.map((each) => h("li", h("strong", each.name), ` ${each.words}`))) : h("p.muted", "Nobody: alerts are raised, and nothing is sent."),
      told.channels.length && told.open_alerts ? h("p.hint", `From now on. The ${plural(told.open_alerts, "alert")} open already ${told.open_alerts === 1 ? "isn't" : "aren't"} sent again; their next changes are.`) : null,
      told.warnings.map((each) => h("p.hintbar.warned", each.replace(/^channels\[(\d+)\]: /, (_, n) => `Channel ${Number(n) + 1}: `))));
  }

  const bodies = [
    [labelled("Name", title, { required: true, hint: "Messages name it.", path: "name" }), where.clouds.element, where.account_groups.element, h("div.pair-wide", where.accounts.element, where.excluded_accounts.element), where.regions.element, where.resource_lists.element, labelled("Tags, of which a resource must have one", tags, { hint: "One a line: a key, or key=value, or key=value, value.", path: "tags" })],
    [which.severities.element, which.policies.element, h("div.pair-wide", which.labels.element, which.standards.element), which.excluded_policies.element],
    [channels, integrations.length ? h("button", { type: "button", onclick: () => { channel(); changed(); channels.lastChild.querySelector("select").focus(); } }, icon("plus"), "Add a channel") : h("p.hintbar", "There is no integration yet. ", h("a", { href: href("/settings/integrations/new") }, "Add one"), "; the rule can be saved before that."), h("div.field", h("span.field-name", "Wait before an open alert is told"), h("div.row.narrow-row", delay, delayUnit), h("p.hint", "What is mended before that is never told. 0: at once."))],
    [],
  ].map((each, i) => h("div.fields", { role: "group", "aria-label": STEPS[i], hidden: i !== 0 }, each));
  const buttons = STEPS.map((word, i) => h("button.step-tab", { type: "button", onclick: () => step(i) }, h("span.step-number", { "aria-hidden": "true" }, i + 1), word));
  const back = h("button", { type: "button", onclick: () => step(at - 1) }, icon("left"), "Back");
  const next = h("button.main", { type: "button", onclick: () => step(at + 1) }, "Next", icon("right"));
  const save = h("button.main", { type: "button", onclick: () => keep() }, icon("save"), "Save");

  function step(to) {
    at = Math.max(0, Math.min(STEPS.length - 1, to));
    bodies.forEach((each, i) => { each.hidden = i !== at; });
    buttons.forEach((each, i) => each.setAttribute("aria-current", i === at ? "step" : "false"));
    back.disabled = !at;
    next.hidden = at === STEPS.length - 1;
    save.hidden = !may || !(old || at === STEPS.length - 1);
    save.classList.toggle("main", at === STEPS.length - 1);
    if (at === STEPS.length - 1) summary();
  }

  function summary() {
    const now = value();
    const line = (word, values, none) => h("div", h("dt", word), h("dd", values?.length ? values.join(", ") : h("span.muted", none)));
    fill(bodies[3], h("dl.facts.wide-facts", line("Name", [now.name].filter(Boolean), "it needs one: go back to the first step"), line("Clouds", now.clouds.map((each) => CLOUDS[each]), "all"), line("Account groups", now.account_groups, "all accounts"), line("Accounts besides", now.accounts, "none"), line("Accounts left out", now.excluded_accounts, "none"), line("Regions", now.regions, "all"), line("Resource lists and tags", [...now.resource_lists, ...Object.entries(now.tags).map(([key, each]) => (each.length ? `${key}=${each.join("|")}` : key))], "any"),
      line("Severities", now.severities, "all"), line("Policies", now.policies, "all, those of tomorrow too"), line("Labels and standards", [...now.labels, ...now.standards], "any"), line("Policies left out", now.excluded_policies, "none"), line("Channels", now.channels.map((each) => `${integrations.find((one) => one.id === each.integration)?.name || each.integration} (${each.states.join(", ")})`), "none: alerts are raised only")), h("p.muted", "The preview beside says what it covers now, and who would hear of it."));
  }

  async function keep() {
    const fields = value();
    const say = (message, to) => { fill(wrong, message); wrong.hidden = false; step(to); };
    if (!fields.name) { say("Name: give it one.", 0); title.focus(); return; }
    save.disabled = true;
    try {
      const done = old ? await write("alert-rule", old.id, fields, old.version) : await create("alert-rule", { ...fields, id: undefined });
      toast(`${done.name} is saved`);
      go("/rules");
    } catch (error) {
      const field = /(?:^|: )([a-z_]+)(?:[.[]\S*)?: /.exec(clean(error.message))?.[1] || "";
      say(clean(error.message), field in where || ["name", "tags"].includes(field) ? 0 : field in which ? 1 : ["channels", "delay_s"].includes(field) ? 2 : at);
    } finally {
      save.disabled = false;
    }
  }

  const actions = old && may ? [
    flick(`${old.name} enabled`, old.object.enabled !== false, async (on) => { const done = await write("alert-rule", old.id, { enabled: on }, old.version, { merge: true }); old.version = done.version; begun.enabled = on; toast(`${old.name} is ${on ? "enabled" : "disabled"}`); }),
    h("button", { type: "button", onclick: () => removeRule(old).then((done) => done && go("/rules"), oops) }, icon("trash"), "Delete"),
  ] : [];
  fill(root, heading(old ? old.name : "New alert rule", { actions }), readers(),
    h("div.beside.wizard", h("section.panel", h("nav.steps-bar", { "aria-label": "Steps" }, buttons), h("div.panel-body", h("fieldset.plainly", { disabled: !may }, bodies), wrong, h("div.foot.spaced", back, h("span.spacer"), h("a.button", { href: href("/rules") }, "Cancel"), save, next))),
      panel("What it covers now", {}, preview)));
  step(0);
  look();
  if (may) bindFor(signal, "mod+enter", "Save", keep, { typing: true });
  if (!old) title.focus();
}

const clean = (message) => String(message).replace(/alert-rule \S+: /g, "");

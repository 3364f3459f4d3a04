// One integration, new or there already: what type, its settings out of the type's own schema, and beside them how to set it up.

import { fill, h } from "../dom.js";
import { form, labelled } from "../form.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading, panel } from "../states.js";
import { oops, toast } from "../toast.js";
import { light } from "../words.js";
import { kindOf, removeIntegration } from "./integrations.js";
import { markdown } from "./markdown.js";
import { create, finder, flick, object, readers, write } from "./objects.js";

const LIST = "/settings/integrations";

export async function show({ root, params, signal, name }) {
  const { types } = await get(`${OURS}/integration-types`, {}, { signal });
  if (!params.direction) return choose(root, types);
  const known = params.id ? await object(params.direction === "out" ? "integration" : "inbound-integration", params.id, signal) : null;
  const type = types.find((each) => each.direction === params.direction && each.type === (known ? known.object.type : params.type));
  name(known ? known.name : type ? `New ${type.title} integration` : "Integration");
  if (!type) return fill(root, heading(known?.name || "Integration"), h("section.panel", empty("No such type of integration", known ? `${known.object.type} is only kept: Tidegate doesn't call it.` : "Choose one of the list.", h("a.button", { href: href(known ? LIST : `${LIST}/new`) }, "Go back"))));
  return edit(root, type, known, signal);
}

function choose(root, types) {
  const place = h("div.stack");
  const draw = (text) => {
    const groups = [["out", "Alerts go to"], ["in", "Findings come from"]].map(([direction, word]) => {
      const shown = types.filter((each) => each.direction === direction && (!text || `${each.title} ${each.type} ${each.about}`.toLowerCase().includes(text)));
      return shown.length ? h("section", h("h2.group", word), h("div.cards", shown.map((each) => h("a.card", { href: href(`${LIST}/new/${each.direction}/${each.type}`) }, h("span.monogram", { "aria-hidden": "true", data: { tone: String(hash(each.title) % 6) } }, each.title.replace(/^(Amazon|AWS|Google|Microsoft|Azure) /, "").slice(0, 2)), h("span", h("strong", each.title), h("span.sub", each.about)))))) : null;
    });
    fill(place, groups.some(Boolean) ? groups : h("section.panel", empty("No type matches", "A webhook reaches nearly everything else.")));
  };
  const find = finder("Search types", draw);
  fill(root, heading("Add an integration", { about: "Choose what to connect. You can test it before it is saved." }), h("div.filters", find), place);
  draw("");
  find.focus();
}

function edit(root, type, known, signal) {
  const may = mayChange();
  const one = { direction: type.direction, id: known?.id || "", type: type.type, name: known?.name || "", waiting: 0 };
  const title = h("input", { type: "text", value: known?.object.name || type.title, required: true, autocomplete: "off" });
  const needed = type.settings.required || [];
  const secrets = Object.keys(type.settings.properties || {}).filter((each) => /key|secret|token|password|login|url|address/.test(each)).slice(0, 6);
  const first = [...new Set([...needed, ...secrets])];
  const given = known?.object.settings || {};
  const labels = Object.fromEntries(Object.keys(type.settings.properties || {}).map((each) => [each, worded(each)]));
  const main = form(type.settings, given, { only: first, labels, onchange: changed });
  const rest = form(type.settings, given, { without: first, labels, onchange: changed });
  const others = Object.keys(type.settings.properties || {}).filter((each) => !first.includes(each));
  const more = others.length ? h("details.more", { open: others.some((each) => given[each] !== undefined && JSON.stringify(given[each]) !== JSON.stringify(type.settings.properties[each].default)) }, h("summary", `More settings (${others.length})`), rest.element) : null;
  const said = h("div.said", { role: "status" });
  const testButton = h("button", { type: "button", onclick: () => test() }, icon("play"), "Test");
  const saveButton = h("button.main", { type: "submit" }, icon("save"), "Save");
  let tried = "";

  const settings = () => ({ ...main.value(), ...rest.value() });
  function changed() { fill(said); fill(saveButton, icon("save"), "Save"); }

  function fail(message) {
    main.fail("");
    rest.fail("");
    const lines = String(message).split(/;\s+|\n/).map((each) => each.replace(/^integration \S+: |^inbound-integration \S+: /, ""));
    const left = lines.filter((line) => {
      const field = /settings\.(\w+)/.exec(line)?.[1];
      if (!field) return true;
      if (first.includes(field)) return !main.fail(line);
      if (more) more.open = true;
      return !rest.fail(line);
    });
    if (left.length) fill(said, h("p.wrong", { role: "alert" }, left.join("\n")));
  }

  async function test() {
    fill(said, h("p.waiting", "Testing…"));
    testButton.disabled = true;
    try {
      const now = settings();
      const told = await post(`${OURS}/integrations/test`, { direction: type.direction, type: type.type, settings: now, id: known?.id || "" }, { signal });
      tried = told.ok ? JSON.stringify(now) : "";
      main.fail("");
      rest.fail("");
      fill(said, h("p.verdict", { data: { state: told.ok ? "ok" : "bad" } }, icon(told.ok ? "check" : "close"), h("span", h("strong", told.ok ? "It works" : "It doesn't work"), told.message ? `: ${told.message}` : "")));
      return told.ok;
    } catch (error) {
      if (error.name === "AbortError") return false;
      fill(said);
      fail(error.message);
      return null;
    } finally {
      testButton.disabled = false;
    }
  }

  async function save(event) {
    event?.preventDefault();
    if (!may) return;
    if (!title.value.trim()) { title.focus(); fill(said, h("p.wrong", { role: "alert" }, "Name: give it one, alert rules and people use it.")); return; }
    saveButton.disabled = true;
    try {
      const anyway = saveButton.dataset.anyway === JSON.stringify(settings());
      if (!anyway && tried !== JSON.stringify(settings())) {
        const fine = await test();
        if (fine === null) return;
        if (!fine) { saveButton.dataset.anyway = JSON.stringify(settings()); fill(saveButton, icon("save"), "Save anyway"); return; }
      }
      const fields = { ...(known ? known.object : {}), name: title.value.trim(), type: type.type, settings: settings() };
      if (known) await write(kindOf(one), known.id, fields, known.version);
      else await create(kindOf(one), fields);
      toast(`${fields.name} is saved`);
      go(LIST);
    } catch (error) {
      if (error.name !== "AbortError") fail(error.message);
    } finally {
      saveButton.disabled = false;
    }
  }

  const actions = known && may ? [
    flick(`${known.name} enabled`, known.object.enabled !== false, async (on) => { known.version = (await write(kindOf(one), known.id, { enabled: on }, known.version, { merge: true })).version; known.object.enabled = on; toast(`${known.name} is ${on ? "enabled" : "disabled"}`); }),
    h("button", { type: "button", onclick: () => removeIntegration(one, signal).then((done) => done && go(LIST), oops) }, icon("trash"), "Delete"),
  ] : [];
  const panelBody = h("form.stack", { novalidate: true, onsubmit: save }, h("fieldset.plainly", { disabled: !may }, labelled("Name", title, { hint: "What people call it.", required: true }), main.element, more), said,
    may ? h("div.foot", h("span.spacer"), h("a.button", { href: href(LIST) }, "Cancel"), testButton, saveButton) : null);
  fill(root,
    heading(known ? known.name : `New ${type.title} integration`, { about: type.about, actions }), readers(),
    h("div.beside", panel("Settings", {}, panelBody),
      panel("How to set it up", {}, h("div.procedure", type.procedure ? markdown(type.procedure) : h("p.muted", "Nobody has written that down yet. Each field says what it is.")))));
  if (known) {
    get(`${OURS}/integrations`, {}, { signal }).then(({ integrations }) => {
      const now = integrations.find((each) => each.id === known.id && each.direction === type.direction);
      if (now) { one.waiting = now.waiting; root.querySelector(".heading .muted").replaceWith(h("p.row", light(now.state, now.word), h("span.muted", now.words))); }
    }).catch(() => {});
  }
  if (may) bindFor(signal, "mod+enter", "Save", () => save(), { typing: true });
  if (!known) main.focus();
}

const worded = (field) => field.replaceAll("_", " ").replace(/\b(url|api|id|arn|sns|sqs)\b/g, (each) => each.toUpperCase()).replace(/^./, (each) => each.toUpperCase());
const hash = (text) => [...text].reduce((sum, each) => sum + each.charCodeAt(0), 0);

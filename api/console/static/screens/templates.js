// Notification templates: how the tickets of Jira and ServiceNow look, field by field, for each state of an alert.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { plural, when } from "../words.js";
import { flick, objects, readers, remove, write } from "./objects.js";

const NEW = "/templates/new";
const STATES = ["basic", "open", "resolved", "dismissed", "snoozed"];

export async function show({ root, signal }) {
  let [templates, integrations, rules] = await Promise.all([objects("notification-template", signal), objects("integration", signal), objects("alert-rule", signal)]);
  const place = h("div");
  const add = mayChange() ? h("a.button.main", { href: href(NEW) }, icon("plus"), "Add template") : null;
  const again = async () => { templates = await objects("notification-template", signal); draw(); };
  const users = (each) => rules.filter((rule) => rule.object.channels?.some((channel) => channel.template === each.id)).map((rule) => rule.name);

  function draw() {
    fill(place, templates.length ? list({
      name: "templates", label: "Notification templates", signal, rows: templates,
      columns: [
        { id: "name", title: "Name", text: (each) => each.name },
        { id: "type", title: "For", cell: (each) => [TYPES[each.object.type] || each.object.type, h("span.sub", integrations.find((one) => one.id === each.object.integration)?.name || "any of them")], text: (each) => each.object.type },
        { id: "fields", title: "Fields", cell: (each) => STATES.filter((state) => each.object[state]?.length).map((state) => h("span.tag", `${state} ${each.object[state].length}`)), text: (each) => STATES.map((state) => `${state} ${each.object[state]?.length || 0}`).join(", ") },
        { id: "rules", title: "Alert rules", cell: (each) => users(each).join(", ") || h("span.muted", "none"), text: (each) => users(each).join(", ") },
        { id: "changed", title: "Changed", cell: (each) => [when(each.changed_at), h("span.sub", each.changed_by)], text: (each) => each.changed_by },
        { id: "enabled", title: "Enabled", cell: (each) => flick(`${each.name} enabled`, each.object.enabled !== false, async (on) => { await write("notification-template", each.id, { enabled: on }, undefined, { merge: true }); toast(`${each.name} is ${on ? "enabled" : "disabled: tickets have the destination's own form"}`); await again(); }), text: (each) => String(each.object.enabled !== false) },
        ...(mayChange() ? [{ id: "more", title: "Delete", cell: (each) => h("button.plain", { type: "button", "aria-label": `Delete ${each.name}`, onclick: () => removeTemplate(each, users(each)).then((done) => done && again(), oops) }, icon("trash")), text: () => "" }] : []),
      ],
      open: (each) => href(`/templates/${encodeURIComponent(each.id)}`),
    }).element : h("section.panel", empty("No template yet", "Tickets have a form of Tidegate's own. A template says which fields they have instead, for Jira and ServiceNow.", add?.cloneNode(true))));
  }

  fill(root, heading("Notification templates", { about: "Which fields a ticket has, and what stands in them.", actions: [add] }), readers(), place);
  draw();
  if (mayChange()) bindFor(signal, "c", "Add a template", () => go(NEW));
}

export const TYPES = { jira: "Jira", service_now: "ServiceNow", email: "E-mail" };

/** Delete a template after saying who uses it. */
export const removeTemplate = (each, used = []) => remove("notification-template", each.id, each.name, used.length
  ? `${plural(used.length, "alert rule")} (${used.join(", ")}) ${used.length === 1 ? "uses" : "use"} it: choose another template there first.`
  : "Tickets that are there stay as they are.");

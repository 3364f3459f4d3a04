// Alert rules: which violations become alerts, and who hears of them; a channel is added in two clicks.

import { menu } from "../dialog.js";
import { fill, h } from "../dom.js";
import { OURS, get } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { CLOUDS, plural, when } from "../words.js";
import { finder, flick, object, objects, readers, remove, write } from "./objects.js";

const NEW = "/rules/new";
const LASTING = new Set();

export async function show({ root, signal }) {
  let text = "";
  let [rules, integrations, { types }] = await Promise.all([objects("alert-rule", signal), objects("integration", signal), get(`${OURS}/integration-types`, {}, { signal })]);
  for (const each of types) if (each.keeps === "latest state") LASTING.add(each.type);
  const place = h("div");
  const named = (id) => integrations.find((each) => each.id === id)?.name || id;
  const add = mayChange() ? h("a.button.main", { href: href(NEW) }, icon("plus"), "Add rule") : null;
  const again = async () => { rules = await objects("alert-rule", signal); draw(); };

  async function tell(rule, integration) {
    const states = LASTING.has(integration.object.type) ? ["open", "resolved"] : ["open"];
    const channels = [...(rule.object.channels || []), { integration: integration.id, states }];
    try {
      await write("alert-rule", rule.id, { channels }, rule.version, { merge: true });
      toast(`${integration.name} hears of ${states.join(" and ")} alerts of ${rule.name} from now on`);
      await again();
    } catch (error) { oops(error); }
  }

  function channelMenu(rule) {
    const free = integrations.filter((each) => !(rule.object.channels || []).some((channel) => channel.integration === each.id && !channel.template));
    const button = h("button.plain.linkish", { type: "button", "aria-haspopup": "menu", "aria-label": `Add a channel to ${rule.name}`, onclick: () => menu(button, free.length
      ? free.map((each) => ({ label: each.name, icon: "integrations", act: () => tell(rule, each) }))
      : [{ label: integrations.length ? "Every integration hears of it already" : "Add an integration first", icon: "plus", act: () => go("/settings/integrations/new") }]) }, icon("plus"), "Channel");
    return button;
  }

  function more(rule) {
    const button = h("button.plain", { type: "button", "aria-haspopup": "menu", "aria-label": `More for ${rule.name}`, onclick: () => menu(button, [
      { label: "Edit", icon: "edit", act: () => go(`/rules/${encodeURIComponent(rule.id)}`) },
      { label: "Copy", icon: "copy", act: () => go(`${NEW}?from=${encodeURIComponent(rule.id)}`) },
      { label: "Delete", icon: "trash", act: () => removeRule(rule).then((done) => done && again(), oops) },
    ]) }, icon("more"));
    return button;
  }

  function draw() {
    const shown = rules.filter((each) => !text || `${each.name} ${covers(each.object)} ${(each.object.channels || []).map((one) => named(one.integration)).join(" ")}`.toLowerCase().includes(text));
    fill(place, list({
      name: "alert-rules", label: "Alert rules", signal, rows: shown,
      columns: [
        { id: "name", title: "Name", text: (each) => each.name },
        { id: "covers", title: "Covers", wide: true, text: (each) => covers(each.object) },
        { id: "channels", title: "Who hears of it", wide: true, cell: (each) => h("div.row.tight-row", (each.object.channels || []).map((one) => h("span.tag", { title: `hears of ${(one.states || ["open"]).join(", ")} alerts${one.digest ? `, ${one.digest.schedule}` : ""}` }, named(one.integration), one.digest ? h("span.muted", ` ${one.digest.schedule}`) : null)), each.object.channels?.length ? null : h("span.muted", "nobody: alerts are raised only"), mayChange() ? channelMenu(each) : null), text: (each) => (each.object.channels || []).map((one) => named(one.integration)).join(", ") },
        { id: "changed", title: "Changed", cell: (each) => (each.version ? [when(each.changed_at), h("span.sub", each.changed_by)] : h("span.muted", "comes with Tidegate")), text: (each) => each.changed_by },
        { id: "enabled", title: "Enabled", cell: (each) => flick(`${each.name} enabled`, each.object.enabled !== false, async (on) => { await write("alert-rule", each.id, { enabled: on }, each.version, { merge: true }); toast(`${each.name} is ${on ? "enabled" : "disabled: alerts that only it covers resolve"}`); await again(); }), text: (each) => String(each.object.enabled !== false) },
        ...(mayChange() ? [{ id: "more", title: "More", cell: more, text: () => "" }] : []),
      ],
      open: (each) => href(`/rules/${encodeURIComponent(each.id)}`),
      nothing: empty("No alert rule matches", "Take the words away, or add a rule."),
    }).element);
  }

  fill(root, heading("Alert rules", { about: "An alert is raised where at least one enabled rule covers the policy and the resource.", actions: [add] }), readers(), h("div.filters", finder("Search rules", (value) => { text = value; draw(); })), place);
  draw();
  if (mayChange()) bindFor(signal, "c", "Add a rule", () => go(NEW));
}

/** What a rule covers, in words. */
export function covers(rule) {
  const some = (values, one, many = `${one}s`) => (values?.length ? (values.length <= 2 ? values.join(", ") : plural(values.length, one, many)) : "");
  const which = [some(rule.severities, "severity", "severities"), some(rule.policies, "policy", "policies"), some(rule.labels, "label"), some(rule.standards, "standard")].filter(Boolean);
  const tags = Object.keys(rule.tags || {});
  const where = [some((rule.clouds || []).map((each) => CLOUDS[each] || each), "cloud"), some(rule.account_groups, "account group"), some(rule.accounts, "account"), some(rule.regions, "region"), some(rule.resource_lists, "resource list"), some(tags, "tag")].filter(Boolean);
  const without = [rule.excluded_policies?.length ? plural(rule.excluded_policies.length, "policy", "policies") : "", rule.excluded_accounts?.length ? plural(rule.excluded_accounts.length, "account") : ""].filter(Boolean);
  return `${which.length ? which.join("; ") : "every policy"} ${where.length ? `in ${where.join("; ")}` : "everywhere"}${without.length ? `, without ${without.join(" and ")}` : ""}`;
}

/** Delete a rule, or take back what was changed of the one that comes with Tidegate. */
export async function removeRule(rule) {
  const { origin } = await object("alert-rule", rule.id);
  return remove("alert-rule", rule.id, rule.name, rule.id === "default" || origin === "shipped"
    ? "It comes with Tidegate: what was changed of it is taken back, and it covers everything again."
    : "Open alerts that no other rule covers resolve; who heard of them isn't told of new ones.");
}

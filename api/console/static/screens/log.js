// The audit log: who changed what, and when; secrets are masked.

import { fill, h } from "../dom.js";
import { OURS, get } from "../http.js";
import { icon } from "../icons.js";
import { setQuery } from "../router.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { absolute, when } from "../words.js";
import { finder } from "./objects.js";

export async function show({ root, query, signal }) {
  const chosen = { kind: query.get("kind") || "", by: query.get("by") || "", id: query.get("id") || "" };
  let limit = 200;
  let text = "";
  let lines = [];
  const place = h("div");
  const { kinds } = await get(`${OURS}/control`, {}, { signal });
  const kind = h("select", { "aria-label": "Kind", onchange: () => { chosen.kind = kind.value; load(); } }, h("option", { value: "" }, "everything"), kinds.map((each) => h("option", { value: each.kind, selected: each.kind === chosen.kind }, each.plural.replaceAll("-", " "))));
  const by = h("select", { "aria-label": "Who", onchange: () => { chosen.by = by.value; load(); } });
  const only = h("span.row");

  async function load() {
    setQuery(chosen);
    lines = (await get(`${OURS}/control/audit-log`, { ...chosen, limit }, { signal })).lines;
    const known = [...new Set([chosen.by, ...[...by.options].map((each) => each.value), ...lines.map((each) => each.by)])].filter(Boolean).sort();
    fill(by, h("option", { value: "" }, "by anybody"), known.map((each) => h("option", { value: each, selected: each === chosen.by }, `by ${each}`)));
    fill(only, chosen.id ? h("span.chip.on", h("span", chosen.id), h("button.plain.inchip", { type: "button", "aria-label": "Of every object", onclick: () => { chosen.id = ""; load(); } }, icon("close"))) : null);
    draw();
  }

  function draw() {
    const shown = lines.filter((each) => !text || `${each.by} ${each.kind} ${each.name} ${each.id} ${each.action} ${each.changes.map((one) => one.path).join(" ")}`.toLowerCase().includes(text));
    fill(place, list({
      name: "audit-log", label: "Audit log", signal, rows: shown, id: (each) => `${each.at} ${each.kind} ${each.id}`,
      columns: [
        { id: "at", title: "When", cell: (each) => [when(each.at), h("span.sub", absolute(each.at))], text: (each) => new Date(each.at).toISOString() },
        { id: "by", title: "Who", text: (each) => each.by },
        { id: "action", title: "What", cell: (each) => [h("span.act", { data: { act: each.action } }, each.action), h("span.sub", each.kind.replaceAll("-", " "))], text: (each) => `${each.action} ${each.kind}` },
        { id: "object", title: "Of which", cell: (each) => (each.id ? h("button.plain.linkish.whole", { type: "button", title: "All that happened to it", onclick: () => { chosen.id = each.id; chosen.kind = kind.value = each.kind; load(); } }, each.name || each.id) : "–"), text: (each) => each.id },
        { id: "changes", title: "Changes", wide: true, cell: (each) => diff(each.changes), text: (each) => JSON.stringify(each.changes) },
      ],
      nothing: empty("Nothing was changed", chosen.kind || chosen.by || chosen.id || text ? "With these filters: take one away." : "Each change of a rule, a policy, an integration, a user stands here with who made it."),
    }).element, lines.length === limit && limit < 1000 ? h("button", { type: "button", onclick: () => { limit = 1000; load(); } }, "Show older ones") : null);
  }

  fill(root, heading("Audit log", { about: "Who changed what, and when. Secrets never stand in it." }), h("div.filters", finder("Search", (value) => { text = value; draw(); }), kind, by, only), place);
  await load();
}

function diff(changes) {
  if (!changes.length) return h("span.muted", "–");
  const rows = (some) => h("table.diff", h("tbody", some.map((each) => h("tr", h("th", { scope: "row" }, each.path), "before" in each ? h("td.was", short(each.before)) : h("td"), "after" in each ? h("td.is", short(each.after)) : h("td")))));
  return changes.length <= 3 ? rows(changes) : [rows(changes.slice(0, 2)), h("details", h("summary", `${changes.length - 2} more`), rows(changes.slice(2)))];
}

function short(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 240 ? `${text.slice(0, 240)}…` : text;
}

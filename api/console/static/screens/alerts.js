// Alerts: filtered as the API filters, a page at a time, acted on one by one or together.

import { fill, h, settled } from "../dom.js";
import { live } from "../events.js";
import { filters } from "../filters.js";
import { post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { order } from "../orders.js";
import { href, setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { table } from "../table.js";
import { SEVERITIES, STATUSES, absolute, cloud, plural, reason, severity, status, when } from "../words.js";

const LABELS = {
  "policy.name": "policy", "policy.id": "policy id", "policy.label": "label", "cloud.account": "account", "cloud.accountId": "account id", "account.group": "account group",
  "cloud.region": "region", "cloud.type": "cloud", "cloud.service": "service", "resource.name": "resource", "resource.id": "resource id", "resource.type": "resource type",
  "alertRule.name": "alert rule", "policy.complianceStandard": "standard", "policy.complianceRequirement": "requirement", "policy.complianceSection": "section",
};
const HIDDEN = ["alert.id", "timeRange.type", "policy.type", "policy.subtype", "policy.remediable"];

export async function show({ root, query, signal }) {
  let chosen = {};
  for (const [name, value] of query) (chosen[name] ||= []).push(value);
  if (![...query.keys()].length) chosen = { "alert.status": ["open"] };
  let total = 0;
  const wanted = () => Object.entries(chosen).flatMap(([name, values]) => values.map((value) => ({ name, operator: "=", value })));

  const news = h("button.plain.linkish", { type: "button", hidden: true, onclick: () => { news.hidden = true; grid.first(); } });
  const act = async (action, alerts) => {
    if (await order(action, alerts, { total, filters: wanted() })) { grid.clear(); grid.reload(); }
  };
  const grid = table({
    name: "alerts", label: "Alerts", signal, sort: "alertTime:desc", tools: [news],
    columns: [
      { id: "policy", title: "Alert", wide: true, sort: "policy.name", cell: (row) => row.policy.name, text: (row) => row.policy.name },
      { id: "severity", title: "Severity", sort: "policy.severity", cell: (row) => severity(row.policy.severity), text: (row) => row.policy.severity },
      { id: "status", title: "Status", sort: "status", cell: (row) => status(row.status), text: (row) => row.status },
      { id: "resource", title: "Resource", sort: "resource.name", cell: (row) => [row.resource.rrn ? h("a", { href: href("/resource", { rrn: row.resource.rrn }) }, row.resource.name) : row.resource.name || h("span.muted", "the account"), h("span.sub", row.resource.resourceType)], text: (row) => row.resource.name },
      { id: "account", title: "Account", cell: (row) => [row.resource.account, h("span.sub.nowrap", `${cloud(row.resource.cloudType)} ${row.resource.region}`)], text: (row) => row.resource.accountId },
      { id: "region", title: "Region", hidden: true, text: (row) => row.resource.region },
      { id: "opened", title: "Opened", sort: "alertTime", cell: (row) => when(row.alertTime), text: (row) => absolute(row.alertTime) },
      { id: "updated", title: "Changed", sort: "lastUpdated", cell: (row) => when(row.lastUpdated), text: (row) => absolute(row.lastUpdated) },
      { id: "reason", title: "Why", hidden: true, text: (row) => reason(row.reason) },
      { id: "rules", title: "Alert rules", hidden: true, text: (row) => row.alertRules.map((each) => each.name).join(", ") },
      { id: "note", title: "Note", hidden: true, text: (row) => row.dismissalNote || "" },
      { id: "id", title: "Id", hidden: true, text: (row) => row.id },
    ],
    open: (row) => href(`/alerts/${encodeURIComponent(row.id)}`),
    actions: mayChange() ? (alerts) => [
      h("button", { type: "button", onclick: () => act("dismiss", alerts) }, "Dismiss"),
      h("button", { type: "button", onclick: () => act("snooze", alerts) }, icon("clock"), "Snooze"),
      h("button", { type: "button", onclick: () => act("reopen", alerts) }, "Reopen"),
    ] : undefined,
    nothing: empty("No alert matches", "Take a filter away, or be glad.", h("button", { type: "button", onclick: () => { location.assign(href("/alerts", { "alert.status": STATUSES })); } }, "Show all alerts")),
    load: async ({ size, from, sort, signal: stop }) => {
      const body = from ? { pageToken: from } : { filters: wanted(), limit: size, sortBy: [sort] };
      const page = await post("/v2/alert", body, { signal: stop });
      total = page.totalRows;
      return { rows: page.items, total, next: page.nextPageToken, note: page.infoMsg };
    },
  });

  const bar = filters({
    place: "/filter/alert/suggest", labels: LABELS, hidden: HIDDEN, value: chosen, signal,
    quick: [{ name: "alert.status", label: "Status", values: STATUSES }, { name: "policy.severity", label: "Severity", values: SEVERITIES }],
    onchange: (value) => { chosen = value; setQuery(value); grid.clear(); news.hidden = true; grid.first(); },
  });
  fill(root, heading("Alerts"), bar.element, grid.element);
  if (mayChange()) {
    for (const [key, action, words] of [["d", "dismiss", "Dismiss what is selected"], ["s", "snooze", "Snooze what is selected"], ["o", "reopen", "Reopen what is selected"]]) {
      bindFor(signal, key, words, () => { if (grid.selected().length) act(action, grid.selected()); });
    }
  }
  let changes = 0;
  const quiet = settled(() => {
    if (signal.aborted) return;
    if (!grid.selected().length && !grid.element.contains(document.activeElement) && scrollY < 80 && grid.isFirst()) { changes = 0; grid.reload(); return; }
    news.hidden = false;
    fill(news, icon("refresh"), `${plural(changes, "change")}: show`);
  }, 800);
  live("alerts", ({ alerts }) => { changes += alerts.length; quiet(); }, signal);
  await grid.first();
}

// One resource: what it is, its configuration, its findings, all that happened to it, its alerts.

import { fill, h } from "../dom.js";
import { OURS, get } from "../http.js";
import { icon } from "../icons.js";
import { go, href, setQuery } from "../router.js";
import { empty, heading, tabs } from "../states.js";
import { list } from "../table.js";
import { shown, tree } from "../tree.js";
import { SEVERITIES, absolute, cloud, dated, plural, reason, severity, status, when } from "../words.js";

const KINDS = ["configuration", "finding", "alert"];

export async function show({ root, query, signal, name }) {
  const rrn = query.get("rrn") || "";
  if (!rrn) { go("/investigate", { replace: true }); return; }
  const told = await get(`${OURS}/resources/${encodeURIComponent(rrn)}`, {}, { signal });
  const one = told.resource || { rrn, id: rrn, name: rrn, account: "", cloud: "", region: "", service: "", api_name: "", resource_type: "", tags: {}, deleted: true, config: null };
  name(one.name || one.id);
  const open = told.findings.filter((each) => each.status === "open");
  const alerting = told.alerts.filter((each) => each.status === "open");
  const worst = SEVERITIES.find((each) => open.some((finding) => finding.severity === each));
  const choose = (tab) => setQuery({ rrn, tab: tab === "overview" ? "" : tab });
  const made = tabs([
    { id: "overview", title: "Overview", show: overview },
    { id: "config", title: "Configuration", show: (place) => fill(place, one.config === null ? empty("No configuration", "The resource is gone; its trail is what is left.") : tree(one.config)) },
    { id: "findings", title: "Findings", count: told.findings_total, show: findings },
    { id: "trail", title: "Audit trail", count: told.trail.length, show: trail },
    { id: "alerts", title: "Alerts", count: told.alerts.length, show: alerts },
  ], { chosen: query.get("tab") || "overview", onchoose: choose, label: "What is known of the resource" });

  fill(root,
    heading(one.name || one.id, {
      about: [one.resource_type || one.api_name, one.deleted ? [" ", h("span.status", "deleted")] : null],
      actions: [h("a.button", { href: href("/investigate", { query: `config from cloud.resource where cloud.type = '${one.cloud}' AND api.name = '${one.api_name}'` }) }, icon("investigate"), "Others like it")],
    }),
    made.element);

  function overview(place) {
    fill(place, h("dl.facts",
      fact("Id", h("span.mono", one.id)), fact("Account", [one.account, h("span.sub", cloud(one.cloud))]), fact("Region", one.region || "–"), fact("Service", one.service || "–"),
      fact("api.name", h("span.mono", one.api_name)), fact("Made", one.created ? absolute(one.created) : "–"), fact("Seen", when(one.seen)),
      fact("Findings", [plural(open.length, "open one"), worst ? [" ", severity(worst)] : null]), fact("Alerts", plural(alerting.length, "open one"))),
    h("div.parted", Object.keys(one.tags || {}).length ? h("section", h("h3", "Tags"), h("div.row", Object.entries(one.tags).map(([key, value]) => h("span.tag", `${key}: ${value}`)))) : null,
      alerting.length ? h("section", h("h3", "Open alerts"), h("ul.news", alerting.slice(0, 6).map((each) => h("li", severity(each.severity), h("a", { href: href(`/alerts/${each.id}`) }, each.policy_name), h("span.spacer"), when(each.opened))))) : null,
      open.length ? h("section", h("h3", "Worst findings"), h("ul.news", open.slice(0, 6).map((each) => h("li", severity(each.severity), h("span", each.title || each.name), h("span.spacer"), h("span.muted", each.source))))) : null,
      h("section", h("h3", "Name in Tidegate"), h("p.mono", one.rrn))));
  }

  function findings(place) {
    const chosen = { type: new Set(), source: new Set(), severity: new Set(), status: new Set() };
    const search = h("input", { type: "search", placeholder: "CVE, title or package", "aria-label": "Search findings", oninput: () => draw() });
    const below = h("div");
    const values = (field) => [...new Set(told.findings.map((each) => each[field]))].sort((a, b) => (field === "severity" ? SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b) : a < b ? -1 : 1));
    const chips = Object.keys(chosen).map((field) => (values(field).length < 2 && field !== "severity" ? null : h("span.row", { role: "group", "aria-label": field }, values(field).map((each) => h("button.chip", {
      type: "button", "aria-pressed": "false",
      onclick: (event) => { chosen[field].has(each) ? chosen[field].delete(each) : chosen[field].add(each); event.currentTarget.setAttribute("aria-pressed", String(chosen[field].has(each))); draw(); },
    }, each)))));
    const draw = () => {
      const text = search.value.trim().toLowerCase();
      const rows = told.findings.filter((each) => Object.entries(chosen).every(([field, set]) => !set.size || set.has(each[field]))
        && (!text || [each.name, each.title, ...each.cves, ...each.packages.map((one) => one.name)].some((word) => (word || "").toLowerCase().includes(text))));
      fill(below, list({
        name: "findings", label: "Findings", rows, signal, id: (row) => row.id, nothing: empty("No finding matches"),
        columns: [
          { id: "title", title: "Finding", wide: true, cell: (row) => h("details.more", h("summary", row.title || row.name), detail(row)), text: (row) => row.title || row.name },
          { id: "severity", title: "Severity", cell: (row) => severity(row.severity), text: (row) => row.severity },
          { id: "cves", title: "CVE", cell: (row) => (row.cves.length ? row.cves.map((each) => h("span.nowrap", each, " ")) : h("span.muted", "–")), text: (row) => row.cves.join(" ") },
          { id: "score", title: "Score", right: true, text: (row) => row.score ?? "" },
          { id: "source", title: "Source", cell: (row) => [row.source, h("span.sub", row.type)], text: (row) => row.source },
          { id: "type", title: "Type", hidden: true, text: (row) => row.type },
          { id: "status", title: "Status", cell: (row) => [status(row.status), row.status_reason ? h("span.sub", row.status_reason) : null], text: (row) => row.status },
          { id: "first", title: "First seen", cell: (row) => when(row.first_seen), text: (row) => absolute(row.first_seen) },
          { id: "last", title: "Last seen", hidden: true, cell: (row) => when(row.last_seen), text: (row) => absolute(row.last_seen) },
          { id: "packages", title: "Packages", hidden: true, text: (row) => row.packages.map((each) => `${each.name} ${each.version || ""}`).join(", ") },
        ],
      }).element);
    };
    fill(place, told.findings.length ? h("div.filters.inset", search, chips) : null, below);
    draw();
  }

  function trail(place) {
    const chosen = new Set(KINDS);
    const below = h("ol.timeline");
    const draw = () => {
      const lines = told.trail.filter((each) => chosen.has(each.kind));
      fill(below, lines.map(happened));
      if (!lines.length) fill(below, h("li", empty("Nothing happened", told.trail_missing || "As far as the trail goes back.")));
    };
    fill(place,
      h("div.filters", KINDS.map((each) => h("button.chip", {
        type: "button", "aria-pressed": "true", onclick: (event) => { chosen.has(each) ? chosen.delete(each) : chosen.add(each); event.currentTarget.setAttribute("aria-pressed", String(chosen.has(each))); draw(); },
      }, each))), told.trail_whole ? null : h("p.hint", told.trail_since ? `What happened before ${absolute(told.trail_since)} wasn't read.` : told.trail_missing), below);
    draw();
  }

  function alerts(place) {
    fill(place, list({
      name: "resource-alerts", label: "Alerts", rows: told.alerts, signal, open: (row) => href(`/alerts/${row.id}`), nothing: empty("No alert", "No policy has found anything about this resource."),
      columns: [
        { id: "policy", title: "Alert", wide: true, text: (row) => row.policy_name },
        { id: "severity", title: "Severity", cell: (row) => severity(row.severity), text: (row) => row.severity },
        { id: "status", title: "Status", cell: (row) => [status(row.status), h("span.sub", reason(row.reason))], text: (row) => row.status },
        { id: "opened", title: "Opened", cell: (row) => when(row.opened), text: (row) => absolute(row.opened) },
        { id: "updated", title: "Changed", cell: (row) => when(row.updated), text: (row) => absolute(row.updated) },
      ],
    }).element);
  }
}

/** What else a finding says, shown when its line is unfolded. */
export function detail(row) {
  return h("div.finding", row.description ? h("p", row.description) : null,
    row.packages?.length ? h("p", h("strong", "Packages: "), row.packages.map((each) => `${each.name} ${each.version || ""}${each.fixed ? `, fixed in ${each.fixed}` : ""}`).join("; ")) : null,
    row.remediation ? h("p", h("strong", "What to do: "), row.remediation) : null, h("p.mono.muted", row.id));
}

const fact = (word, value) => h("div", h("dt", word), h("dd", value));

function happened(each) {
  const about = each.detail || {};
  const words = {
    configuration: [`Configuration ${each.change}`],
    finding: [about.severity ? [severity(about.severity), " "] : null, h("strong", about.title || about.name || "A finding"), ` ${each.change}`, about.cves?.length ? h("span.mono", ` ${about.cves.join(" ")}`) : null, h("span.muted", ` ${about.source || ""}`)],
    alert: [h("a", { href: href(`/alerts/${about.id}`) }, about.policy?.name || about.policy || about.id), ` ${each.change}`, about.status ? [" ", status(about.status)] : null, about.reason ? h("span.muted", ` ${reason(about.reason)}`) : null],
  }[each.kind];
  const changes = each.kind === "configuration" || each.change === "changed" ? each.changes : [];
  return h("li", { data: { kind: each.kind } }, h("time", { datetime: new Date(each.at).toISOString(), title: absolute(each.at) }, dated(each.at)),
    h("div", h("p", words, each.by ? h("span.muted", ` by ${each.by}`) : null),
      changes.length ? h("table.diff", h("caption.hidden-text", "What changed"), h("tbody", changes.slice(0, 40).map((one) => h("tr", h("th", { scope: "row" }, one.path || "all of it"),
        h("td.was", "before" in one ? shown(one.before) : h("span.muted", "–")), h("td.is", "after" in one ? shown(one.after) : h("span.muted", "–")))))) : null,
      changes.length > 40 ? h("p.hint", `and ${plural(changes.length - 40, "more place")}`) : null));
}


// Investigate: a question in RQL, its answer as a table, and the questions that were asked before.

import { dialog } from "../dialog.js";
import { fill, h } from "../dom.js";
import { editor } from "../editor.js";
import { labelled } from "../form.js";
import { OURS, del, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { href, setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading, panel } from "../states.js";
import { table } from "../table.js";
import { oops, toast } from "../toast.js";
import { absolute, cloud, dated, number, severity, status, when } from "../words.js";

const BEGIN = "config from cloud.resource where ";
const EXAMPLES = [
  ["What is there in AWS", "config from cloud.resource where cloud.type = 'aws'"],
  ["Machines that the internet reaches", "config from cloud.resource where api.name = 'aws-ec2-describe-instances' AND json.rule = publicIpAddress exists"],
  ["Resources with serious findings", "config from cloud.resource where finding.severity IN ('critical', 'high')"],
  ["Security groups that are open to the world", "config from cloud.resource where api.name = 'aws-ec2-describe-security-groups' AND json.rule = ipPermissions[*].ipRanges[*] contains \"0.0.0.0/0\""],
];
const OWN = new Set(["account", "region", "api.name", "id", "name", "rrn"]);

export async function show({ root, query, signal }) {
  let asOf = query.get("as_of") || "";
  let last = null;
  const rql = editor({ value: query.get("query") || BEGIN, signal, run: () => ask() });
  const told = h("p.told", { role: "status" });
  const answer = h("div");
  const snapshots = h("select", { "aria-label": "As of", onchange: () => { asOf = snapshots.value; } }, h("option", { value: "" }, "Now"));
  const run = h("button.main", { type: "button", onclick: () => ask() }, icon("play"), "Run");
  const history = h("div.stack");
  fill(root,
    heading("Investigate"),
    h("section.panel.ask", rql.element, h("div.row", run, h("span.row", h("span.muted", { "aria-hidden": "true" }, "as of"), snapshots), h("span.spacer"), h("kbd", "Ctrl Enter"), h("button.plain", { type: "button", onclick: format }, icon("edit"), "Format"), h("button.plain", { type: "button", onclick: explain }, icon("help"), "Explain"),
      mayChange() ? h("button.plain", { type: "button", onclick: saveSearch }, icon("save"), "Save") : null, h("button.plain", { type: "button", onclick: link }, icon("link"), "Link"))),
    told, answer, history);

  async function ask() {
    const text = rql.value().trim();
    if (!text || text === BEGIN.trim()) { rql.focus(); return; }
    setQuery({ query: text, as_of: asOf });
    rql.fail(null);
    run.disabled = true;
    answer.setAttribute("aria-busy", "true");
    const began = performance.now();
    try {
      const [counted, page] = asOf
        ? [await post(`${OURS}/rql`, { query: text, limit: 10_000, as_of: asOf }, { signal }), null]
        : await Promise.all([post(`${OURS}/rql`, { query: text, limit: 0 }, { signal }), post("/search/config", { query: text, limit: 50, timeRange: { type: "to_now", value: "epoch" } }, { signal })]);
      last = page;
      const took = Math.round(performance.now() - began);
      fill(told, h("span", h("strong", number(counted.total ?? counted.rows.length)), counted.total === 1 ? " row" : " rows"), h("span", `in ${number(took)} ms`, h("span.muted", `, ${number(Math.round(counted.took_ms))} of them in the database`)),
        h("span", counted.whole ? "every account answered" : h("span.light", { data: { state: "warn" } }, "some accounts only: this process doesn't own all")),
        h("span.muted", counted.source === "snapshot" ? `as of ${absolute(counted.as_of)}` : "live"), (counted.notes || []).map((each) => h("span.tag", each)));
      results(text, counted, page);
      if (page) recent();
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(told);
      if (error.span) { rql.fail(error); rql.focus(); } else rql.fail(null);
      if (!error.span) fill(answer, h("div.trouble", { role: "alert" }, h("p", error.message)));
    } finally {
      run.disabled = false;
      answer.removeAttribute("aria-busy");
    }
  }

  function results(text, counted, page) {
    const dynamic = page ? page.data.dynamicColumns || [] : counted.columns.filter((each) => !OWN.has(each));
    const counting = !counted.columns.includes("rrn");
    const old = (row) => Object.fromEntries(counted.columns.map((name, i) => [name, row[i]]));
    const fromRow = (row) => { const one = old(row); return { rrn: one.rrn, id: one.id, name: one.name || one.id, accountId: one.account, regionId: one.region, apiName: one["api.name"], dynamicData: one }; };
    const kept = page ? null : counted.rows.map(fromRow);
    const columns = counting ? [
      { id: "account", title: "Account", text: (row) => row.accountId }, { id: "region", title: "Region", text: (row) => row.regionId }, { id: "count", title: "Count", right: true, text: (row) => row.dynamicData?.count },
    ] : [
      { id: "name", title: "Resource", cell: (row) => [row.name || row.id, row.name && row.name !== row.id ? h("span.sub.mono", row.id) : null], text: (row) => row.name || row.id },
      ...dynamic.map((name) => ({ id: name, title: name, cell: (row) => value(name, row.dynamicData[name]), text: (row) => row.dynamicData[name] })),
      { id: "account", title: "Account", cell: (row) => [row.accountName || row.accountId, row.cloudType ? h("span.sub.nowrap", `${cloud(row.cloudType)} ${row.regionId}`) : null], text: (row) => row.accountId },
      { id: "api", title: "api.name", cell: (row) => h("span.mono", row.apiName), text: (row) => row.apiName },
      { id: "alert", title: "Stands", cell: (row) => [row.hasAlert ? h("span.tag.bad", "alert") : null, " ", row.hasExternalFinding ? h("span.tag", "findings") : null], text: (row) => (row.hasAlert ? "alert" : "") },
      { id: "seen", title: "Seen", cell: (row) => when(row.insertTs), text: (row) => absolute(row.insertTs) },
      { id: "id", title: "Id", hidden: true, text: (row) => row.id }, { id: "region", title: "Region", hidden: true, text: (row) => row.regionId }, { id: "service", title: "Service", hidden: true, text: (row) => row.service },
      { id: "type", title: "Type", hidden: true, text: (row) => row.resourceType }, { id: "tags", title: "Tags", hidden: true, cell: (row) => Object.entries(row.tags || {}).map(([key, one]) => h("span.tag", `${key}: ${one}`)), text: (row) => row.tags }, { id: "rrn", title: "rrn", hidden: true, text: (row) => row.rrn },
    ];
    let first = page;
    const grid = table({
      name: counting ? "counts" : "results", label: "Results", signal, columns, id: (row) => row.rrn || `${row.accountId} ${row.regionId}`,
      open: (row) => (row.rrn ? href("/resource", { rrn: row.rrn }) : null),
      nothing: empty("No resource matches", (counted.notes || [])[0] || "The query is right; nothing that is stored answers to it."),
      load: async ({ size, from, signal: stop }) => {
        if (kept) { const start = from || 0; return { rows: kept.slice(start, start + size), total: counted.total ?? kept.length, next: start + size < kept.length ? start + size : null, note: counted.total > kept.length ? `The first ${number(kept.length)} rows` : "" }; }
        if (!from && first && size === 50) { const { data } = first; first = null; return { rows: data.items, total: data.totalRows, next: data.nextPageToken, note: data.infoMsg }; }
        const data = from ? await post("/search/config/page", { pageToken: from, limit: size }, { signal: stop }) : (await post("/search/config", { query: text, limit: size, id: page.id }, { signal: stop })).data;
        return { rows: data.items, total: data.totalRows, next: data.nextPageToken, note: data.infoMsg };
      },
    });
    fill(answer, grid.element);
    grid.first();
  }

  function link() {
    const address = new URL(href("/investigate", { query: rql.value(), as_of: asOf }), location.href).href;
    navigator.clipboard.writeText(address).then(() => toast("The link is in the clipboard"), oops);
  }

  async function format() {
    try {
      rql.set((await post(`${OURS}/rql/format`, { query: rql.value() }, { signal })).query);
    } catch (error) {
      error.span ? rql.fail(error) : oops(error);
    }
  }

  async function explain() {
    try {
      const { explain: how } = await post(`${OURS}/rql`, { query: rql.value(), explain: true }, { signal });
      dialog({ title: "How it is answered", wide: true, body: [["SQL", how.sql], ["Bound values", JSON.stringify(how.values)], ["The query as it was understood", how.tree], ["Plan", how.plan]].map(([name, text]) => h("section", h("h3", name), h("pre", { tabindex: "0" }, text))) });
    } catch (error) {
      error.span ? rql.fail(error) : oops(error);
    }
  }

  async function saveSearch() {
    const called = h("input", { type: "text", maxlength: 255 });
    const about = h("textarea", { rows: 2, maxlength: 4000 });
    dialog({
      title: "Save this search", body: [labelled("Name", called, { required: true }), labelled("What it is for", about), h("pre", rql.value())],
      actions: [{ label: "Save", kind: "main", act: async () => {
        if (!called.value.trim()) throw new Error("Give it a name.");
        const found = last?.query === rql.value().trim() ? last : await post("/search/config", { query: rql.value(), limit: 0, skipResult: true });
        await post(`/search/history/${encodeURIComponent(found.id)}`, { name: called.value.trim(), description: about.value.trim(), query: rql.value() });
        toast("Saved");
        recent();
      } }],
    });
    called.focus();
  }

  async function recent() {
    const lines = await get("/search/history", { filter: "recent", limit: 200 }, { signal }).catch(() => []);
    const saved = lines.filter((each) => each.searchModel.saved);
    const seen = new Set();
    const others = lines.filter((each) => !each.searchModel.saved && !seen.has(each.query) && seen.add(each.query)).slice(0, 8);
    const line = (each, name) => h("li", h("button.plain.search", { type: "button", onclick: () => { rql.set(each.query); ask(); scrollTo(0, 0); } }, h("strong", name), h("span.mono.muted", each.query)),
      each.timestamp ? h("span.muted.nowrap", dated(each.timestamp)) : null,
      each.searchModel?.saved && mayChange() ? h("button.plain", { type: "button", "aria-label": `Delete ${name}`, onclick: () => remove(each) }, icon("trash")) : null);
    fill(history, h("div.pair-wide",
      panel("Saved searches", {}, saved.length ? h("ul.searches", saved.map((each) => line(each, each.searchName))) : h("p.muted", "None yet: Save keeps the query under a name, for policies too.")),
      panel(others.length ? "Recent searches" : "Examples", {}, h("ul.searches", others.length ? others.map((each) => line(each, "")) : EXAMPLES.map(([name, text]) => line({ query: text }, name))))));
  }

  const remove = (each) => dialog({
    title: `Delete “${each.searchName}”?`, body: h("p", "Policies that are made of it keep it: then it can't be deleted."),
    actions: [{ label: "Delete", kind: "danger", act: async () => { await del(`/search/history/${encodeURIComponent(each.id)}`); toast("Deleted"); recent(); } }],
  });

  bindFor(signal, "/", "Write a query", () => rql.focus());
  bindFor(signal, "mod+enter", "Run the query", () => ask(), { typing: true });
  recent();
  get(`${OURS}/snapshots`, {}, { signal }).then(({ snapshots: there }) => {
    snapshots.append(...there.slice(0, 100).map((each) => h("option", { value: each.name, selected: each.name === asOf }, dated(each.taken))));
  }).catch(() => {});
  if (query.get("query")) await ask(); else rql.focus();
}

function value(name, one) {
  if (one === null || one === undefined) return h("span.muted", "–");
  if (name === "finding.severity") return severity(one);
  if (name === "finding.status") return status(one);
  return typeof one === "object" ? h("span.mono", JSON.stringify(one)) : h("span", { class: typeof one === "number" ? "mono" : null }, String(one));
}

// Overview: how things stand and how they went; an empty system says what to do first.

import { bars, lines, ranks } from "../charts.js";
import { fill, h, settled } from "../dom.js";
import { live } from "../events.js";
import { OURS, get } from "../http.js";
import { icon } from "../icons.js";
import { keep, kept } from "../kept.js";
import { href } from "../router.js";
import { SCREENS } from "../screens.js";
import { begin } from "./begin.js";
import { empty, heading, panel } from "../states.js";
import { SEVERITIES, brief, light, number, plural, severity, status, when } from "../words.js";

const SETTINGS = SCREENS.find((each) => each.path === "/settings/integrations");
const CHANNEL = { ok: "ok", waiting: "warn", paused: "bad", broken: "bad", disabled: "off" };

export async function show({ root, signal }) {
  let days = kept("overview.days", 30);
  let by = kept("overview.by", "severity");
  let told = await get(`${OURS}/overview`, { days }, { signal });
  const places = { top: h("div.tiles"), charts: h("div.pair-wide"), below: h("div.pair-wide") };
  const rates = lines({ title: "Records stored a second", points: [], series: [{ name: "records/s", tone: 0 }], height: 84, signal });
  const news = h("ul.news");
  const seen = [];

  const period = h("select", { "aria-label": "Period", onchange: async () => { days = Number(period.value); keep("overview.days", days); await again(); } },
    [7, 30, 90].map((n) => h("option", { value: n, selected: n === days }, `Last ${n} days`)));
  const again = async () => {
    told = await get(`${OURS}/overview`, { days }, { signal }).catch(() => told);
    if (!signal.aborted) draw();
  };
  const soon = settled(again, 3000);

  function draw() {
    if (!told.rows.resources && !told.rows.findings) {
      begin(root, soon, signal);
      return;
    }
    fill(root,
      heading("Overview", {
        about: `${plural(told.rows.resources, "resource")} in ${plural(told.rows.accounts, "account")}, watched by ${plural(told.enabled_policies, "policy", "policies")}${told.whole ? "" : " · this process knows some accounts only"}`,
        actions: [period],
      }),
      told.notifying_rules ? null : h("div.hintbar", icon("integrations"), h("span", h("strong", "Nobody is told of alerts yet. "), SETTINGS ? [h("a", { href: href(SETTINGS.path) }, "Choose where they go"), ": "] : "Choose where they go: ", "Slack, Jira, PagerDuty, a webhook, and ten others.")),
      places.top, places.charts, places.below);
    fill(places.top, tile("Open alerts", told.open_alerts, href("/alerts", { "alert.status": "open" })), tile("Open findings", told.open_findings, href("/investigate", { query: "config from cloud.resource where finding.severity IN ('critical', 'high')" })), health(), flow());
    const other = by === "severity" ? "source" : "severity";
    fill(places.charts,
      panel("New findings", { actions: [h("button.plain", { type: "button", onclick: () => { by = other; keep("overview.by", by); draw(); } }, `by ${other}`)] },
        bars({ title: `New findings by day and ${by}`, days: told.days, signal, series: by === "severity" ? told.findings.map((each) => ({ ...each, tone: each.name })).reverse() : told.sources.map((each, i) => ({ ...each, tone: i % 6 })) })),
      panel("Alerts opened and resolved", {}, bars({ title: "Alerts opened and resolved by day", days: told.days, signal, series: told.alerts.map((each) => ({ ...each, tone: each.name })) })));
    fill(places.below,
      panel("Policies with most open alerts", {}, told.policies.length ? ranks({ title: "Policies", rows: told.policies.map((each) => ({ name: each.name, value: each.count, tone: each.severity, href: href("/alerts", { "alert.status": "open", "policy.id": each.id }) })) }) : empty("No open alert")),
      panel("Accounts with most open alerts", {}, told.accounts.length ? ranks({ title: "Accounts", rows: told.accounts.map((each) => ({ name: each.name, value: each.count, tone: 0, href: href("/alerts", { "alert.status": "open", "cloud.accountId": each.id }) })) }) : empty("No open alert")),
      panel("Latest changes of alerts", { actions: [h("a.button", { href: href("/alerts") }, "All alerts")] }, seen.length ? news : h("p.muted", "Changes show up here as they happen.")),
      panel("Where alerts go", {}, channels()));
    drawNews();
  }

  function tile(title, counts, to) {
    const total = SEVERITIES.reduce((sum, each) => sum + (counts[each] || 0), 0);
    return h("section.tile", h("h2", h("a", { href: to }, title)), h("p.figure", number(total)),
      h("div.split", { "aria-hidden": "true" }, SEVERITIES.map((each) => (counts[each] ? h("span", { data: { tone: each }, style: { "flex-grow": String(counts[each]) } }) : null))),
      h("ul.split-words", SEVERITIES.filter((each) => counts[each]).map((each) => h("li", h("span.swatch", { data: { tone: each } }), `${brief(counts[each])} ${each}`))));
  }

  function health() {
    const worst = ["broken", "paused", "waiting"].find((state) => told.channels.some((each) => each.state === state));
    const waiting = told.channels.reduce((sum, each) => sum + each.open, 0);
    const ended = told.deliveries;
    const state = !told.channels.length ? "off" : worst ? CHANNEL[worst] : "ok";
    return h("section.tile", h("h2", "Delivery"), h("p.figure", light(state, !told.channels.length ? "not set up" : worst ? `some ${worst}` : "all well")),
      h("ul.split-words", h("li", `${number(ended.delivered || 0)} delivered since the start`), waiting ? h("li", `${number(waiting)} waiting`) : null, ended["dead-letter"] ? h("li", `${number(ended["dead-letter"])} given up`) : null));
  }

  const rateNow = h("strong");
  const lagNow = h("span.muted");
  function flow() {
    return h("section.tile", h("h2", "Coming in"), h("p.figure.small", rateNow, " records/s ", lagNow), rates.element);
  }

  function channels() {
    if (!told.channels.length) return empty("No integration yet", "Alerts are kept here, and go nowhere else.");
    return h("ul.channels", told.channels.map((each) => h("li", light(CHANNEL[each.state] || "warn", each.name), h("span.tag", each.type), h("span.spacer"), each.open ? h("span.muted", `${number(each.open)} open`) : null, each.words ? h("span.sub", each.words) : null)));
  }

  function drawNews() {
    fill(news, seen.slice(0, 8).map((each) => h("li", severity(each.severity), h("a", { href: href(`/alerts/${each.id}`) }, each.policy_name), h("span.muted", each.resource), h("span.spacer"), status(each.status), when(each.updated))));
  }

  function drawFlow(rate, lag) {
    const samples = told.samples;
    const points = samples.slice(1).map((each, i) => ({ at: each.at, values: [Math.max(((each.stored - samples[i].stored) * 1000) / (each.at - samples[i].at), 0)] }));
    rates.set(points);
    fill(rateNow, brief(rate));
    fill(lagNow, lag ? `${brief(lag)} waiting` : "nothing waits");
  }

  draw();
  drawFlow(told.rate, 0);
  const recent = await get(`${OURS}/alerts`, { limit: 8 }, { signal });
  seen.push(...recent.alerts);
  draw();
  live("alerts", ({ alerts }) => {
    for (const each of [...alerts].reverse()) {
      const old = seen.findIndex((one) => one.id === each.id);
      if (old >= 0) seen.splice(old, 1);
      seen.unshift(each);
    }
    drawNews();
    soon();
  }, signal);
  live("status", (now) => {
    const total = Object.values(now.stored || {}).reduce((sum, each) => sum + each, 0);
    told.samples = [...told.samples, { at: Date.now(), stored: total, waiting: now.lag }].slice(-450);
    drawFlow(now.rate, now.lag);
    if (!told.rows.resources && total) soon();
  }, signal);
}

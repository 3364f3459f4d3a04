// One alert: what is wrong, with which resource, why it stands as it does, and where it was sent.

import { fill, h } from "../dom.js";
import { live } from "../events.js";
import { OURS, get } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { order } from "../orders.js";
import { href } from "../router.js";
import { mayChange } from "../session.js";
import { heading, panel, trouble } from "../states.js";
import { toast } from "../toast.js";
import { detail } from "./resource.js";
import { absolute, cloud, light, plural, reason, severity, status, when } from "../words.js";

const OUTCOMES = { delivered: "ok", superseded: "off", "not-applicable": "off", withdrawn: "off", dropped: "off", "dead-letter": "bad", paused: "bad" };

export async function show({ root, params, signal, name }) {
  const id = params.id;
  const place = `${OURS}/alerts/${encodeURIComponent(id)}`;
  let [alert, known] = await Promise.all([get(place, {}, { signal }), get(`/alert/${encodeURIComponent(id)}`, { detailed: true }, { signal })]);
  name(alert.policy.name);
  const sent = h("div", h("p.muted", "Looking…"));
  const found = h("div", h("p.muted", "Looking…"));

  async function again() {
    [alert, known] = await Promise.all([get(place, {}, { signal }), get(`/alert/${encodeURIComponent(id)}`, { detailed: true }, { signal })]);
    draw();
    deliveries();
  }
  const act = async (action) => { if (await order(action, [alert])) await again(); };

  function draw() {
    const resource = alert.resource;
    const buttons = !mayChange() || alert.status === "resolved" ? [] : alert.status === "open"
      ? [h("button", { type: "button", onclick: () => act("snooze") }, icon("clock"), "Snooze"), h("button.main", { type: "button", onclick: () => act("dismiss") }, "Dismiss")]
      : [h("button.main", { type: "button", onclick: () => act("reopen") }, "Reopen")];
    fill(root,
      heading(alert.policy.name, {
        about: h("span.row", severity(alert.policy.severity), status(alert.status), h("span", alert.id), h("span", reason(alert.reason))),
        actions: [h("button.plain", { type: "button", onclick: () => navigator.clipboard?.writeText(location.href).then(() => toast("The link is in the clipboard")) }, icon("link"), "Link"), buttons],
      }),
      alert.status === "dismissed" || alert.status === "snoozed" ? h("div.hintbar", icon("clock"), h("span", h("strong", alert.status === "snoozed" ? `Snoozed until ${absolute(alert.snoozed_until)}` : "Dismissed"), alert.dismissed_by ? ` by ${alert.dismissed_by}` : "", alert.dismissal_note ? `: ${alert.dismissal_note}` : "")) : null,
      h("div.alert-columns",
        h("div.stack",
          panel("What is wrong", {}, h("p.prose", alert.policy.description || "The policy says no more."), alert.policy.recommendation ? [h("h3.space", "How to mend it"), h("p.prose", alert.policy.recommendation)] : null,
            alert.policy.labels.length ? h("div.row.space", alert.policy.labels.map((each) => h("span.tag", each))) : null),
          panel("Findings that it was raised for", {}, found),
          panel("Where it was sent", {}, sent)),
        h("div.stack",
          panel(resource.rrn ? "Resource" : "Account", { actions: resource.rrn ? [h("a.button", { href: href("/resource", { rrn: resource.rrn }) }, "Open")] : [] },
            h("dl.facts", fact("Name", resource.name || resource.id || resource.account), fact("Id", h("span.mono", resource.id || "–")), fact("Type", resource.resource_type || resource.api_name || "–"),
              fact("Account", resource.account), fact("Where", `${cloud(resource.cloud)} ${resource.region}`))),
          panel("Times", {}, h("dl.facts", fact("First seen", absolute(alert.first_seen)), fact("Opened", absolute(alert.opened)), fact("Changed", when(alert.updated)))),
          panel("History", {}, h("ol.timeline.short", [...(alert.history || [])].reverse().map((each) => h("li", h("time", { datetime: new Date(each.at).toISOString(), title: absolute(each.at) }, when(each.at)), h("div", status(each.status), h("span.muted", ` ${reason(each.reason)}`), each.by ? h("span.muted", ` by ${each.by}`) : null))))),
          known.alertRules.length ? panel("Alert rules that cover it", {}, h("ul.plain-list", known.alertRules.map((each) => h("li", each.name)))) : null)));
  }

  async function deliveries() {
    try {
      const told = await get(`${place}/deliveries`, {}, { signal });
      fill(sent, told.deliveries.length ? h("ul.channels", told.deliveries.map((each) => h("li", light(OUTCOMES[each.outcome] || "warn", each.outcome), h("strong", each.name), h("span.muted", `change ${each.seq}${each.attempts > 1 ? `, ${plural(each.attempts, "try", "tries")}` : ""}`), h("span.spacer"), when(each.at), each.words ? h("span.sub", each.words) : null)))
        : h("p.muted", "Nowhere: no alert rule that covers it tells anybody."), told.whole ? null : h("p.hint", "Older lines of the log weren't read."));
    } catch (error) {
      if (error.name !== "AbortError") fill(sent, trouble(error, deliveries));
    }
  }

  async function findings() {
    try {
      const told = alert.resource.rrn && alert.findings.length ? await get(`${OURS}/resources/${encodeURIComponent(alert.resource.rrn)}`, { history: 0 }, { signal }) : { findings: [] };
      const raised = told.findings.filter((each) => alert.findings.includes(each.id));
      fill(found, raised.length ? h("ul.channels", raised.map((each) => h("li", h("details.more", h("summary", severity(each.severity), " ", each.title || each.name), detail(each)), h("span.spacer"), status(each.status), h("span.muted", each.source))))
        : h("p.muted", alert.findings.length ? "They are gone since." : "None: the policy asks for the configuration alone."));
    } catch (error) {
      if (error.name !== "AbortError") fill(found, trouble(error, findings));
    }
  }

  draw();
  deliveries();
  findings();
  if (mayChange()) {
    bindFor(signal, "d", "Dismiss", () => alert.status === "open" && act("dismiss"));
    bindFor(signal, "s", "Snooze", () => alert.status === "open" && act("snooze"));
    bindFor(signal, "o", "Reopen", () => ["dismissed", "snoozed"].includes(alert.status) && act("reopen"));
  }
  live("alerts", ({ alerts }) => { if (alerts.some((each) => each.id === id)) again().catch(() => {}); }, signal);
}

const fact = (word, value) => h("div", h("dt", word), h("dd", value));

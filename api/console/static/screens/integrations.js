// Integrations: all of both directions in one list, with a light and why it has it.

import { dialog, menu } from "../dialog.js";
import { fill, h } from "../dom.js";
import { OURS, call, get, post } from "../http.js";
import { icon } from "../icons.js";
import { bindFor } from "../keys.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { light, plural, when } from "../words.js";
import { finder, flick, object, readers, write } from "./objects.js";

const NEW = "/settings/integrations/new";
const WAYS = { out: ["Alerts go to it", "out"], in: ["Findings come from it", "in"] };

/** The kind of an integration's object, by its direction. */
export const kindOf = (one) => (one.direction === "out" ? "integration" : "inbound-integration");

/** The address of an integration. */
export const addressOf = (one) => `/settings/integrations/${one.direction}/${encodeURIComponent(one.id)}`;

export async function show({ root, query, signal }) {
  let way = query.get("way") || "";
  let text = "";
  const [{ integrations }, { types }] = await Promise.all([get(`${OURS}/integrations`, {}, { signal }), get(`${OURS}/integration-types`, {}, { signal })]);
  let rows = integrations;
  const title = (one) => types.find((each) => each.type === one.type && each.direction === one.direction)?.title || one.type;
  const place = h("div");
  const chips = h("span.row", { role: "group", "aria-label": "Direction" });
  const add = mayChange() ? h("a.button.main", { href: href(NEW) }, icon("plus"), "Add integration") : null;

  async function again() {
    rows = (await get(`${OURS}/integrations`, {}, { signal })).integrations;
    draw();
  }

  async function test(one) {
    toast(`Testing ${one.name}…`, "plain");
    try {
      const { object: fields } = await object(kindOf(one), one.id, signal);
      const said = await post(`${OURS}/integrations/test`, { direction: one.direction, type: one.type, id: one.id, settings: fields.settings }, { signal });
      toast(said.ok ? `${one.name}: the test succeeded${said.message ? `: ${said.message}` : ""}` : `${one.name}: ${said.message}`, said.ok ? "good" : "bad");
      await again();
    } catch (error) { oops(error); }
  }

  function more(one) {
    const button = h("button.plain", { type: "button", "aria-haspopup": "menu", "aria-label": `More for ${one.name}`, onclick: () => menu(button, [
      { label: "Test", icon: "play", act: () => test(one) },
      { label: "Edit", icon: "edit", act: () => go(addressOf(one)) },
      ...(one.direction === "in" ? [{ label: "Pull now", icon: "refresh", act: () => post(`${OURS}/connectors/${encodeURIComponent(one.id)}/pull`).then(() => { toast(`${one.name} is asked now`); again(); }, oops) }] : []),
      { label: "Delete", icon: "trash", act: () => removeIntegration(one, signal).then((done) => done && again(), oops) },
    ]) }, icon("more"));
    return button;
  }

  function draw() {
    const shown = rows.filter((one) => (!way || one.direction === way) && (!text || `${one.name} ${one.type} ${title(one)} ${one.word}`.toLowerCase().includes(text)));
    fill(chips, [["", "All", rows.length], ["out", "Out", rows.filter((one) => one.direction === "out").length], ["in", "In", rows.filter((one) => one.direction === "in").length]].map(([value, word, n]) => h("button.chip", { type: "button", "aria-pressed": String(way === value), onclick: () => { way = value; draw(); } }, word, h("span.count", n))));
    fill(place, rows.length ? list({
      name: "integrations", label: "Integrations", signal, rows: shown,
      columns: [
        { id: "name", title: "Name", cell: (one) => one.name, text: (one) => one.name },
        { id: "type", title: "Type", cell: (one) => [h("span.way", { data: { way: one.direction } }, icon(one.direction === "out" ? "right" : "left"), h("span", title(one))), h("span.sub", WAYS[one.direction][0])], text: (one) => `${one.type} (${one.direction})` },
        { id: "state", title: "Status", wide: true, cell: (one) => [light(one.state, one.word), h("span.sub", one.words)], text: (one) => `${one.word}: ${one.words}` },
        { id: "used", title: "Alert rules", cell: (one) => (one.direction === "in" ? h("span.muted", "–") : one.used_by.length ? h("span", { title: one.used_by.join(", ") }, one.used_by.length > 2 ? plural(one.used_by.length, "rule") : one.used_by.join(", ")) : h("span.muted", "none")), text: (one) => one.used_by.join(", ") },
        { id: "changed", title: "Changed", cell: (one) => [when(one.changed_at), h("span.sub", one.changed_by)], text: (one) => one.changed_by },
        { id: "enabled", title: "Enabled", cell: (one) => flick(`${one.name} enabled`, one.enabled, async (on) => { await write(kindOf(one), one.id, { enabled: on }, undefined, { merge: true }); toast(`${one.name} is ${on ? "enabled" : "disabled"}`); await again(); }), text: (one) => String(one.enabled) },
        ...(mayChange() ? [{ id: "more", title: "More", cell: more, text: () => "" }] : []),
      ],
      open: (one) => href(addressOf(one)),
      nothing: empty("No integration matches", "Choose another direction, or take the words away."),
    }).element : h("section.panel", empty("No integration yet", "Let findings come in from a scanner, or send alerts to where your team works.", add?.cloneNode(true))));
  }

  fill(root, heading("Integrations", { about: "Where findings come from and where alerts go, and how each of them does.", actions: [add] }), readers(),
    rows.length ? h("div.filters", finder("Search integrations", (value) => { text = value; draw(); }), chips) : null, place);
  draw();
  if (mayChange()) bindFor(signal, "c", "Add an integration", () => go(NEW));
  const timer = setInterval(() => { if (!document.hidden && !document.querySelector("dialog[open], .menu") && !place.contains(document.activeElement)) again().catch(() => {}); }, 10_000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Delete an integration after saying what that will do. Gives whether it was deleted. */
export async function removeIntegration(one, signal) {
  return one.direction === "out" ? removeOut(one, signal) : removeIn(one, signal);
}

async function removeOut(one, signal) {
  const { objects: rules } = await get(`${OURS}/control/alert-rule`, {}, { signal });
  const using = rules.filter((each) => each.object.channels?.some((channel) => channel.integration === one.id));
  const body = [
    h("p", "Its settings and secrets are deleted. What was sent there stays there."),
    one.waiting ? h("p", h("strong", plural(one.waiting, "message")), " that still wait for it are dropped, and the delivery log says so.") : h("p.muted", "No message waits for it."),
    using.length ? h("div", h("p", "It is taken out of ", using.length === 1 ? "this alert rule" : "these alert rules", ", which tell the others as before:"), h("ul.dotted", using.map((each) => h("li", each.name, each.object.channels.length === 1 ? h("span.muted", " tells nobody then") : null)))) : null,
  ];
  const done = await dialog({ title: `Delete ${one.name}?`, body, actions: [{ label: "Delete", kind: "danger", act: async () => {
    for (const each of using) await write("alert-rule", each.id, { channels: each.object.channels.filter((channel) => channel.integration !== one.id) }, each.version, { merge: true });
    await call("DELETE", `${OURS}/control/integration/${encodeURIComponent(one.id)}`);
  } }] }).done;
  if (done) toast(`${one.name} is deleted`);
  return Boolean(done);
}

async function removeIn(one, signal) {
  const place = `${OURS}/connectors/${encodeURIComponent(one.id)}`;
  const said = h("p.muted", { role: "status" }, "Looking…");
  const choose = h("select", { "aria-label": "What becomes of its findings" }, h("option", { value: "keep" }, "Its open findings stay open"), h("option", { value: "close" }, "Its open findings are closed, and their alerts resolve"));
  const ask = () => call("DELETE", place, { query: { findings: choose.value, dry_run: true }, signal }).then((told) => fill(said, told.message), (error) => fill(said, error.message));
  choose.addEventListener("change", ask);
  ask();
  const done = await dialog({ title: `Delete ${one.name}?`, body: [h("p", "Its settings, its secrets and the place to go on at are deleted."), choose, said], actions: [{ label: "Delete", kind: "danger", act: () => call("DELETE", place, { query: { findings: choose.value } }) }] }).done;
  if (done) toast(`${one.name} is deleted`);
  return Boolean(done);
}

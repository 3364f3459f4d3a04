// Dead letters: records that couldn't be taken, why, their bytes, and how they are sent again.

import { dialog } from "../dialog.js";
import { fill, h } from "../dom.js";
import { OURS, get, post, save } from "../http.js";
import { icon } from "../icons.js";
import { href, setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading, panel } from "../states.js";
import { list } from "../table.js";
import { toast } from "../toast.js";
import { absolute, bytes, plural, when } from "../words.js";
import { readers } from "./objects.js";

const MOST = 500;

export async function show({ root, params, query, signal, name }) {
  if (params.id) return one(root, params.id, signal, name);
  let source = query.get("source") || "";
  const place = h("div");
  const chips = h("div.filters", { role: "group", "aria-label": "Source" });
  let letters = [];

  async function again() {
    letters = (await get(`${OURS}/dead-letters`, { limit: MOST }, { signal })).dead_letters;
    draw();
  }

  async function sendAll(chosen) {
    const fresh = chosen.filter((each) => !each.replayed_at);
    const done = await dialog({
      title: `Send ${plural(chosen.length, "dead letter")} again?`,
      body: [h("p", "Each goes to its topic once more. What is still wrong comes back as a new dead letter."), fresh.length < chosen.length ? h("p.muted", `${plural(chosen.length - fresh.length, "letter")} that ${chosen.length - fresh.length === 1 ? "was" : "were"} sent again before ${chosen.length - fresh.length === 1 ? "is" : "are"} left out.`) : null],
      actions: [{ label: "Send again", kind: "main", act: async () => { for (const each of fresh) await post(`${OURS}/dead-letters/${each.id}/replay`, { again: false }); } }],
    }).done;
    if (done) { toast(`${plural(fresh.length, "dead letter")} ${fresh.length === 1 ? "is" : "are"} on the way again`); await again(); }
  }

  function draw() {
    const counts = {};
    for (const each of letters) counts[each.source] = (counts[each.source] || 0) + 1;
    fill(chips, Object.keys(counts).length > 1 ? [["", letters.length], ...Object.entries(counts)].map(([value, n]) => h("button.chip", { type: "button", "aria-pressed": String(source === value), onclick: () => { source = value; setQuery({ source }); draw(); } }, value || "All", h("span.count", n))) : null);
    const shown = letters.filter((each) => !source || each.source === source);
    const grid = list({
      name: "dead-letters", label: "Dead letters", signal, rows: shown,
      columns: [
        { id: "reason", title: "What is wrong", wide: true, cell: (each) => [h("span", each.path ? h("code", each.path) : null, each.path ? ": " : "", each.reason)], text: (each) => `${each.path}: ${each.reason}` },
        { id: "source", title: "Source", cell: (each) => h("span.tag", each.source), text: (each) => each.source },
        { id: "where", title: "Where it lay", cell: (each) => [each.topic, h("span.sub", `partition ${each.partition}, offset ${each.offset}${each.place ? `, ${each.place}` : ""}`)], text: (each) => `${each.topic} ${each.partition} ${each.offset} ${each.place}` },
        { id: "size", title: "Size", right: true, cell: (each) => bytes(each.size), text: (each) => each.size },
        { id: "failed", title: "Refused", cell: (each) => when(each.failed_at), text: (each) => absolute(each.failed_at) },
        { id: "replayed", title: "Sent again", cell: (each) => when(each.replayed_at), text: (each) => absolute(each.replayed_at) },
      ],
      actions: mayChange() ? (chosen) => [h("button.main", { type: "button", onclick: () => sendAll(chosen) }, icon("refresh"), "Send again")] : undefined,
      open: (each) => href(`/letters/${encodeURIComponent(each.id)}`),
    });
    fill(place, letters.length ? grid.element : h("section.panel", empty("No dead letter", "Every record that came in was understood. Should one not be, it is kept here with the reason, and can be sent again.")), letters.length === MOST ? h("p.hint", `The newest ${MOST}.`) : null);
  }

  fill(root, heading("Dead letters", { about: "Records that weren't understood. Nothing is lost: once the cause is mended, send them again." }), readers(), chips, place);
  await again();
}

async function one(root, id, signal, name) {
  const place = `${OURS}/dead-letters/${encodeURIComponent(id)}`;
  let letter = await get(place, {}, { signal });
  name(`Dead letter ${id}`);

  async function replay() {
    const done = await dialog({
      title: "Send it again?",
      body: [h("p", "The bytes go to ", h("code", letter.topic), " once more. What is still wrong comes back as a new dead letter."), letter.replayed_at ? h("p.hintbar.warned", `It was sent again before: ${absolute(letter.replayed_at)}.`) : null],
      actions: [{ label: "Send again", kind: "main", act: () => post(`${place}/replay`, { again: Boolean(letter.replayed_at) }) }],
    }).done;
    if (done) { toast("It is on the way again"); letter = await get(place, {}, { signal }); draw(); }
  }

  function draw() {
    const shape = letter.text === null ? hexed(letter.item) : pretty(letter.text);
    fill(root,
      heading(`Dead letter ${letter.id}`, { about: h("span", letter.path ? h("code", letter.path) : null, letter.path ? ": " : "", letter.reason), actions: [
        h("button", { type: "button", onclick: () => save(`dead-letter-${letter.id}.${letter.text === null ? "b64" : "json"}`, letter.text ?? letter.item, "application/octet-stream") }, icon("download"), "Download"),
        mayChange() ? h("button.main", { type: "button", onclick: replay }, icon("refresh"), "Send again") : null] }), readers(),
      panel("Where it came from", {}, h("dl.facts", fact("Source", letter.source), fact("Topic", h("span.mono", letter.topic)), fact("Partition and offset", `${letter.partition}, ${letter.offset}`), letter.place ? fact("Place in its message", h("span.mono", letter.place)) : null, fact("Came", absolute(letter.timestamp)), fact("Refused", absolute(letter.failed_at)), fact("Sent again", letter.replayed_at ? absolute(letter.replayed_at) : "never"), fact("Size", bytes(letter.size)))),
      panel(letter.text === null ? "Its bytes" : "Its text", {}, h("pre.bytes", { tabindex: "0", "aria-label": "Bytes" }, shape)));
  }
  draw();
}

const fact = (word, value) => h("div", h("dt", word), h("dd", value));

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

/** Bytes as a hex dump: offset, sixteen bytes, their letters. */
function hexed(base64, most = 8192) {
  const raw = atob(base64);
  const lines = [];
  for (let i = 0; i < Math.min(raw.length, most); i += 16) {
    const part = [...raw.slice(i, i + 16)];
    lines.push(`${i.toString(16).padStart(6, "0")}  ${part.map((each) => each.charCodeAt(0).toString(16).padStart(2, "0")).join(" ").padEnd(47)}  ${part.map((each) => (each >= " " && each <= "~" ? each : ".")).join("")}`);
  }
  return lines.join("\n") + (raw.length > most ? "\n…" : "");
}

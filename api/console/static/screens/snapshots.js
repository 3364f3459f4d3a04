// Snapshots: the store as it was at a moment, in files that any tool opens.

import { confirm } from "../dialog.js";
import { fill, h } from "../dom.js";
import { OURS, get, post } from "../http.js";
import { icon } from "../icons.js";
import { href } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { bytes, number, plural, when } from "../words.js";
import { readers } from "./objects.js";

export async function show({ root, signal }) {
  const place = h("div");
  let snapshots = [];
  const takeButton = () => (mayChange() ? h("button.main", { type: "button", onclick: take }, icon("snapshots"), "Take a snapshot") : null);

  async function again() {
    snapshots = (await get(`${OURS}/snapshots`, {}, { signal })).snapshots;
    draw();
  }

  async function take(event) {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const made = await post(`${OURS}/snapshots`);
      toast(`${made.name} is taken: ${plural(Object.values(made.rows).reduce((a, b) => a + b, 0), "row")}, ${bytes(made.bytes)}`);
      await again();
    } catch (error) { oops(error); } finally { button.disabled = false; }
  }

  async function prune() {
    const keep = h("input", { type: "number", min: 1, value: "5", "aria-label": "How many are kept" });
    const done = await confirm({ title: "Remove old snapshots", text: [h("label.row", "Keep the newest ", keep), " All others are removed with their files; nobody may have them open."], label: "Remove", danger: true, act: async () => {
      const { removed } = await post(`${OURS}/snapshots/prune`, { keep: Number(keep.value) });
      toast(`${plural(removed.length, "snapshot")} removed`);
    } });
    if (done) await again();
  }

  function draw() {
    fill(place, snapshots.length ? list({
      name: "snapshots", label: "Snapshots", signal, rows: snapshots, id: (each) => each.name,
      columns: [
        { id: "name", title: "Name", cell: (each) => h("strong.nowrap", each.name), text: (each) => each.name },
        { id: "taken", title: "Taken", cell: (each) => when(each.taken), text: (each) => each.taken },
        ...["resources", "findings", "alerts"].map((table) => ({ id: table, title: table.replace(/^./, (c) => c.toUpperCase()), right: true, cell: (each) => number(each.rows[table] || 0), text: (each) => each.rows[table] || 0 })),
        { id: "bytes", title: "Size", right: true, cell: (each) => h("span.nowrap", bytes(each.bytes)), text: (each) => each.bytes },
        { id: "path", title: "Folder", wide: true, cell: (each) => h("span.place", h("span.mono", each.path), h("button.plain", { type: "button", "aria-label": `Copy the folder of ${each.name}`, onclick: () => navigator.clipboard?.writeText(each.path).then(() => toast("The folder is in the clipboard"), oops) }, icon("copy"))), text: (each) => each.path },
        { id: "ask", title: "Ask it", cell: (each) => h("a.nowrap", { href: href("/investigate", { query: "config from cloud.resource where cloud.type = 'aws'", as_of: each.taken }) }, "Investigate"), text: () => "" },
      ],
    }).element : h("section.panel", empty("No snapshot yet", "A snapshot is the store as it is at a moment, in a folder of files: open it with DuckDB, pandas or Spark, or ask it here as of then.", takeButton())));
  }

  fill(root, heading("Snapshots", { about: "The store as it was. Nobody changes a snapshot; queries as of then read it.", actions: [mayChange() ? h("button", { type: "button", onclick: prune }, icon("trash"), "Remove old ones") : null, takeButton()] }), readers(), place);
  await again();
}

// Tables: one page at a time from the API, columns to choose, an order, rows to select, CSV, and keys to move by.

import { menu } from "./dialog.js";
import { fill, h } from "./dom.js";
import { save } from "./http.js";
import { icon } from "./icons.js";
import { keep, kept } from "./kept.js";
import { bindFor } from "./keys.js";
import { empty, trouble } from "./states.js";
import { oops, toast } from "./toast.js";
import { csv, number } from "./words.js";

const MOST_CSV = 10_000;

/**
 * A table. `name`: under which choices are kept. `columns`: [{id, title, cell(row) -> nodes, text(row) -> for CSV, sort, hidden,
 * right, wide}]. `load({size, from, sort, signal})` gives {rows, total, next, note}: `from` is undefined for the first page, else
 * the `next` of the page before. `open(row)` gives the address of a row; `actions(selected)` the buttons for selected rows.
 * Gives {element, reload(), first(), selected(), rows()}.
 */
export function table({ name, label, columns, load, open, signal, sort = "", actions, id = (row) => row.id, nothing, size = 50, tools = [], fixed }) {
  let shown = kept(`columns.${name}`, null);
  let places = [undefined];
  let at = 0;
  let order = sort;
  let page = { rows: [], total: 0, next: null };
  let length = fixed ? 1e9 : kept("page-size", size);
  let focused = -1;
  let run = new AbortController();
  const chosen = new Map();
  signal?.addEventListener("abort", () => run.abort());

  const head = h("thead");
  const body = h("tbody");
  const grid = h("table.grid", { "aria-label": label || name }, head, body);
  const below = h("div.table-foot");
  const bar = h("div.selection", { hidden: true, role: "region", "aria-label": "Selected rows" });
  const note = h("p.table-note", { hidden: true });
  const columnButton = h("button.plain", { type: "button", "aria-haspopup": "menu", onclick: () => pickColumns() }, icon("columns"), "Columns");
  const csvButton = h("button.plain", { type: "button", onclick: download }, icon("download"), "CSV");
  const count = h("p.table-count", { role: "status" });
  const top = h("div.table-top", count, h("span.spacer"), tools, columnButton, csvButton);
  const element = h("div.table", top, bar, note, h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": `${label || name}, scrollable` }, grid), below);

  const visible = () => columns.filter((each) => (shown ? shown.includes(each.id) : !each.hidden));

  async function fetchPage() {
    run.abort();
    run = new AbortController();
    element.setAttribute("aria-busy", "true");
    try {
      page = await load({ size: length, from: places[at], sort: order, signal: run.signal });
      if (page.next) places[at + 1] = page.next;
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(head);
      fill(body, h("tr", h("td", trouble(error, fetchPage))));
      fill(below);
      fill(count);
    } finally {
      element.removeAttribute("aria-busy");
    }
  }

  function draw() {
    const cols = visible();
    focused = -1;
    fill(head, h("tr",
      actions ? h("th.pick", { scope: "col" }, h("input", {
        type: "checkbox", "aria-label": "Select all on this page", checked: page.rows.length > 0 && page.rows.every((row) => chosen.has(id(row))),
        onchange: (event) => { for (const row of page.rows) event.target.checked ? chosen.set(id(row), row) : chosen.delete(id(row)); draw(); },
      })) : null,
      cols.map((each) => h("th", { scope: "col", class: each.right ? "right" : null, "aria-sort": each.sort && order.startsWith(`${each.sort}:`) ? (order.endsWith(":desc") ? "descending" : "ascending") : null },
        each.sort ? h("button.plain.sort", { type: "button", onclick: () => { order = order === `${each.sort}:desc` ? `${each.sort}:asc` : `${each.sort}:desc`; first(); } }, each.title, h("span.arrow", { "aria-hidden": "true" })) : each.title))));
    fill(body, page.rows.map((row, i) => {
      const target = open?.(row);
      const line = h("tr", {
        class: chosen.has(id(row)) ? "chosen" : null, data: { row: i },
        onclick: (event) => { if (target && !event.target.closest("a, button, input, label, details") && !getSelection().toString()) line.querySelector("a.row-link")?.click(); },
      },
      actions ? h("td.pick", h("input", { type: "checkbox", "aria-label": `Select row ${i + 1}`, checked: chosen.has(id(row)), onchange: (event) => { event.target.checked ? chosen.set(id(row), row) : chosen.delete(id(row)); line.classList.toggle("chosen", event.target.checked); drawBar(); } })) : null,
      cols.map((each, j) => h("td", { class: [each.right && "right", each.wide && "wide"].filter(Boolean).join(" ") || null, data: { title: each.title } },
        j === 0 && target ? h("a.row-link", { href: target }, each.cell ? each.cell(row) : each.text(row)) : each.cell ? each.cell(row) : each.text(row))));
      return line;
    }));
    if (!page.rows.length) fill(body, h("tr.none", h("td", { colspan: cols.length + (actions ? 1 : 0) }, at ? empty("No more rows") : nothing || empty("Nothing here"))));
    note.hidden = !page.note;
    fill(note, page.note || "");
    fill(count, page.total === null || page.total === undefined ? "" : [h("strong", number(page.total)), page.total === 1 ? " row" : " rows"]);
    const start = at * length;
    fill(below, fixed || (page.total <= Math.min(25, page.rows.length) && !at) ? null : [
      h("label.size", "Rows ", h("select", { onchange: (event) => { length = Number(event.target.value); keep("page-size", length); first(); } },
        [25, 50, 100, 200].map((n) => h("option", { value: n, selected: n === length }, n)))),
      h("span.spacer"),
      h("span.muted", `${number(start + 1)}–${number(start + page.rows.length)}${page.total ? ` of ${number(page.total)}` : ""}`),
      h("button", { type: "button", disabled: !at, "aria-label": "Previous page", onclick: () => { at -= 1; fetchPage(); } }, icon("left")),
      h("button", { type: "button", disabled: !page.next, "aria-label": "Next page", onclick: () => { at += 1; fetchPage(); } }, icon("right")),
    ]);
    drawBar();
  }

  function drawBar() {
    if (!actions) return;
    bar.hidden = !chosen.size;
    fill(bar, h("strong", `${number(chosen.size)} selected`), actions([...chosen.values()]),
      h("button.plain", { type: "button", onclick: () => { chosen.clear(); draw(); } }, "Clear"));
  }

  function pickColumns() {
    const now = visible().map((each) => each.id);
    menu(columnButton, columns.map((each) => ({
      label: each.title, checked: now.includes(each.id),
      act: (list) => {
        const set = new Set(visible().map((one) => one.id));
        set.has(each.id) && set.size > 1 ? set.delete(each.id) : set.add(each.id);
        shown = columns.map((one) => one.id).filter((one) => set.has(one));
        keep(`columns.${name}`, shown);
        list.querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-checked", String(set.has(columns[i].id))));
        draw();
      },
    })));
  }

  async function download() {
    csvButton.disabled = true;
    try {
      let rows = [];
      let next;
      do {
        const got = await load({ size: 1000, from: next, sort: order, signal });
        rows = rows.concat(got.rows);
        next = got.next;
      } while (next && rows.length < MOST_CSV);
      const cols = visible();
      save(`${name}.csv`, csv(cols.map((each) => each.title), rows.map((row) => cols.map((each) => (each.text ? each.text(row) : row[each.id])))));
      toast(`${number(rows.length)} rows saved as ${name}.csv${next ? `: the first ${number(MOST_CSV)}` : ""}`);
    } catch (error) {
      oops(error);
    } finally {
      csvButton.disabled = false;
    }
  }

  function first() {
    places = [undefined];
    at = 0;
    return fetchPage();
  }

  function move(step) {
    const lines = [...body.querySelectorAll("tr[data-row]")];
    if (!lines.length) return;
    focused = Math.max(0, Math.min(lines.length - 1, focused + step));
    lines.forEach((line, i) => line.classList.toggle("focused", i === focused));
    (lines[focused].querySelector("a.row-link") || lines[focused].querySelector("input"))?.focus();
    lines[focused].scrollIntoView({ block: "nearest" });
  }

  if (signal && !fixed) {
    bindFor(signal, "j", "Next row", () => move(1));
    bindFor(signal, "k", "Row before", () => move(-1));
    if (actions) bindFor(signal, "x", "Select the row", () => body.querySelector("tr.focused .pick input")?.click());
    bindFor(signal, "n", "Next page", () => page.next && (at += 1, fetchPage()));
    bindFor(signal, "p", "Page before", () => at && (at -= 1, fetchPage()));
  }
  return { element, reload: fetchPage, first, selected: () => [...chosen.values()], clear: () => { chosen.clear(); }, rows: () => page.rows, order: () => order, isFirst: () => at === 0 };
}

/** A table of rows that are all here already. */
export function list({ rows, ...more }) {
  const made = table({ ...more, fixed: true, load: async () => ({ rows, total: rows.length, next: null }) });
  made.reload();
  return made;
}

// Choosing several of many: what is chosen stands as chips, a dialog with a search adds more.

import { dialog } from "../dialog.js";
import { fill, fresh, h } from "../dom.js";
import { icon } from "../icons.js";

/**
 * `options`: [{id, name, about}]; `none`: what an empty choice means; `free`: values that aren't among the options may be typed.
 * Gives {element, value(), set(ids)}.
 */
export function picker({ label, hint, options, value = [], none = "All", free = false, onchange, path }) {
  let chosen = [...value];
  const names = new Map(options.map((each) => [each.id, each.name || each.id]));
  const id = fresh("pick");
  const chips = h("div.row.picked");
  const told = () => { draw(); onchange?.(chosen); };
  const add = h("button.linkish.plain", { type: "button", "aria-describedby": id, onclick: () => choose() }, icon("plus"), "Choose");

  function draw() {
    fill(chips, chosen.length ? chosen.map((one) => h("span.chip.on", h("span", names.get(one) || one), h("button.plain.inchip", { type: "button", "aria-label": `Remove ${names.get(one) || one}`, onclick: () => { chosen = chosen.filter((each) => each !== one); told(); } }, icon("close")))) : h("span.muted", none), add);
  }

  function choose() {
    const now = new Set(chosen);
    const boxes = h("div.boxes");
    const find = h("input", { type: "search", placeholder: free ? "Search, or type one that isn't here" : "Search", "aria-label": `Search ${label.toLowerCase()}`, oninput: () => show() });
    const show = () => {
      const text = find.value.trim().toLowerCase();
      const found = options.filter((each) => !text || `${each.id} ${each.name || ""} ${each.about || ""}`.toLowerCase().includes(text)).slice(0, 200);
      fill(boxes, found.map((each) => h("label.check", h("input", { type: "checkbox", checked: now.has(each.id), onchange: (event) => { event.target.checked ? now.add(each.id) : now.delete(each.id); } }), h("span", each.name || each.id, each.about ? h("span.muted", ` ${each.about}`) : null))),
        found.length ? null : h("p.muted", free && text ? `“${find.value.trim()}” is taken as it is.` : "Nothing matches."));
    };
    show();
    dialog({ title: label, body: [find, boxes], actions: [{ label: "Apply", kind: "main", act: () => {
      const typed = find.value.trim();
      if (free && typed && !options.some((each) => `${each.id} ${each.name || ""}`.toLowerCase().includes(typed.toLowerCase()))) now.add(typed);
      chosen = [...now];
      told();
    } }] });
    find.focus();
  }

  draw();
  return {
    element: h("div.field", { role: "group", "aria-label": label, data: path ? { path } : {} }, h("span.field-name", { id }, label), chips, hint ? h("p.hint", hint) : null),
    value: () => chosen,
    set(ids) { chosen = [...ids]; draw(); },
  };
}

/** The same for a few fixed words: chips that are pressed. */
export function chips({ label, hint, options, value = [], none, onchange, path }) {
  let chosen = [...value];
  const buttons = options.map(([id, word]) => h("button.chip", { type: "button", "aria-pressed": String(chosen.includes(id)), onclick: (event) => {
    chosen = chosen.includes(id) ? chosen.filter((each) => each !== id) : options.map(([one]) => one).filter((one) => one === id || chosen.includes(one));
    event.currentTarget.setAttribute("aria-pressed", String(chosen.includes(id)));
    said();
    onchange?.(chosen);
  } }, word));
  const empty = h("span.muted");
  const said = () => fill(empty, chosen.length || !none ? "" : none);
  said();
  return { element: h("div.field", { role: "group", "aria-label": label, data: path ? { path } : {} }, h("span.field-name", label), h("div.row", buttons, empty), hint ? h("p.hint", hint) : null), value: () => chosen };
}

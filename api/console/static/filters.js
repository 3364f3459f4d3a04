// The filters of a list: those of the API by their own names, as chips that go and a menu that adds.

import { dialog, menu } from "./dialog.js";
import { fill, h } from "./dom.js";
import { get } from "./http.js";
import { icon } from "./icons.js";
import { oops } from "./toast.js";

/**
 * Filters of `place`, such as "/filter/alert/suggest". `quick`: [{name, label, values}] shown as chips that are pressed; `labels`: words
 * for the others; `hidden`: names that aren't offered. `value`: {name: [values]}; `onchange(value)`. Gives {element, value()}.
 */
export function filters({ place, quick, labels = {}, hidden = [], value, onchange, signal }) {
  const chosen = Object.fromEntries(Object.entries(value).filter(([, values]) => values.length).map(([name, values]) => [name, [...values]]));
  const words = (name) => labels[name] || name.replace(".", " ").replace(/([A-Z])/g, " $1").toLowerCase();
  const quickNames = new Set(quick.map((each) => each.name));
  const others = h("span.row");
  const add = h("button.plain.linkish", { type: "button", "aria-haspopup": "menu", onclick: offer }, icon("plus"), "Filter");
  const element = h("div.filters", { role: "group", "aria-label": "Filters" });

  const told = () => { draw(); onchange({ ...chosen }); };
  const set = (name, values) => { if (values.length) chosen[name] = values; else delete chosen[name]; told(); };

  function draw() {
    fill(others, Object.entries(chosen).filter(([name]) => !quickNames.has(name)).map(([name, values]) => h("span.chip", { "aria-pressed": "true" },
      h("button.plain.inchip", { type: "button", onclick: () => choose(name) }, `${words(name)}: ${values.length > 2 ? `${values.length} chosen` : values.join(", ")}`),
      h("button.plain.inchip", { type: "button", "aria-label": `Remove filter ${words(name)}`, onclick: () => set(name, []) }, icon("close")))));
    for (const button of element.querySelectorAll("[data-value]")) {
      button.setAttribute("aria-pressed", String((chosen[button.dataset.name] || []).includes(button.dataset.value)));
    }
  }

  async function offer() {
    try {
      const known = await get(place, {}, { signal });
      menu(add, Object.keys(known).filter((name) => !quickNames.has(name) && !hidden.includes(name)).map((name) => ({ label: words(name), act: () => choose(name, known[name].options) })));
    } catch (error) {
      oops(error);
    }
  }

  async function choose(name, given) {
    const options = given || (await get(place, {}, { signal }))[name]?.options || [];
    const now = new Set(chosen[name] || []);
    const boxes = h("div.boxes");
    const free = h("input", { type: "search", placeholder: options.length ? "Search" : "A value", "aria-label": "Search values", oninput: () => list() });
    const list = () => {
      const text = free.value.trim().toLowerCase();
      const shown = options.filter((each) => each.toLowerCase().includes(text)).slice(0, 200);
      fill(boxes, shown.map((each) => h("label.check", h("input", { type: "checkbox", checked: now.has(each), onchange: (event) => { event.target.checked ? now.add(each) : now.delete(each); } }), each)));
      if (!shown.length) fill(boxes, h("p.muted", free.value ? `Take “${free.value}” as it is.` : "No alert has a value for this."));
    };
    list();
    const box = dialog({
      title: words(name), body: [free, boxes],
      actions: [{ label: "Apply", kind: "main", act: () => {
        const typed = free.value.trim();
        if (typed && !options.some((each) => each.toLowerCase().includes(typed.toLowerCase()))) now.add(typed);
        set(name, [...now]);
      } }],
    });
    free.focus();
    return box;
  }

  fill(element, quick.map(({ name, label, values }) => h("span.row", { role: "group", "aria-label": label }, values.map((one) => h("button.chip", {
    type: "button", data: { name, value: one, chip: one }, onclick: () => {
      const had = chosen[name] || [];
      set(name, had.includes(one) ? had.filter((each) => each !== one) : [...had, one]);
    },
  }, one)))), others, add);
  draw();
  return { element, value: () => ({ ...chosen }) };
}

// A JSON document as a tree that folds, with a search that shows every hit and its path.

import { fill, h, settled } from "./dom.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";
import { number } from "./words.js";

const MOST = 400;

/** The tree of `document`; paths are written as RQL writes them, and copied by a click on a key. */
export function tree(value, { label = "Configuration", open = 2 } = {}) {
  const find = h("input", { type: "search", placeholder: "Search keys and values", "aria-label": "Search keys and values", spellcheck: "false" });
  const count = h("span.muted", { role: "status" });
  const place = h("div.tree", { "aria-label": label });
  const whole = () => fill(place, entries(value, "", open));
  const draw = () => {
    const text = find.value.trim().toLowerCase();
    if (!text) { fill(count); whole(); return; }
    const hits = [];
    walk(value, "", (path, one) => {
      const leaf = one === null || typeof one !== "object";
      if (path.toLowerCase().includes(text) ? leaf || !Object.keys(one).length : leaf && String(one).toLowerCase().includes(text)) hits.push([path, one]);
      return hits.length < MOST;
    });
    fill(count, hits.length >= MOST ? `the first ${number(MOST)}` : `${number(hits.length)} found`);
    fill(place, hits.map(([path, one]) => h("div.leaf", key(path, path), ": ", shown(one))));
  };
  find.addEventListener("input", settled(draw, 120));
  whole();
  const copy = h("button.plain", { type: "button", onclick: () => copied(JSON.stringify(value, null, 2), "The document") }, icon("copy"), "Copy JSON");
  const wide = h("button.plain", { type: "button", onclick: () => { find.value = ""; fill(count); fill(place, entries(value, "", 99)); } }, "Unfold");
  return h("div.tree-box", h("div.row", find, count, h("span.spacer"), wide, copy), place);
}

/** A value in the colours of code. */
export function shown(value) {
  if (value === null || value === undefined) return h("span.code-null", "null");
  if (typeof value === "string") return h("span.code-text", JSON.stringify(value));
  if (typeof value === "object") return h("span.code-null", Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`);
  return h("span.code-number", String(value));
}

function entries(value, path, open) {
  if (value === null || typeof value !== "object") return h("div.leaf", shown(value));
  return Object.entries(value).map(([name, one]) => {
    const at = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${quoted(name)}` : quoted(name);
    if (one === null || typeof one !== "object" || !Object.keys(one).length) return h("div.leaf", key(name, at), ": ", shown(one));
    const inner = h("div.inner");
    const node = h("details", h("summary", key(name, at), " ", shown(one)), inner);
    const grow = () => { if (node.open && !inner.childElementCount) fill(inner, entries(one, at, open - 1)); };
    node.addEventListener("toggle", grow);
    if (open > 0) { node.open = true; fill(inner, entries(one, at, open - 1)); }
    return node;
  });
}

function key(name, path) {
  return h("button.plain.code-key", { type: "button", title: `Copy ${path}`, onclick: (event) => { event.preventDefault(); copied(path, "The path"); } }, name);
}

function walk(value, path, look) {
  if (value === null || typeof value !== "object") return true;
  for (const [name, one] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${quoted(name)}` : quoted(name);
    if (!look(at, one) || !walk(one, at, look)) return false;
  }
  return true;
}

const quoted = (name) => (/^[\w-]+$/.test(name) ? name : `'${name}'`);

async function copied(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} is in the clipboard`);
  } catch {
    toast("The browser refuses the clipboard here", "bad");
  }
}

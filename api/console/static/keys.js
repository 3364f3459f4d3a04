// Keyboard shortcuts: single keys and pairs such as "g a". They rest while somebody types in a field.

import { dialog } from "./dialog.js";
import { h } from "./dom.js";

const known = new Map();
let before = "";
let timer = 0;

/** Bind keys such as "/", "g a" or "mod+enter" to an act, with words for the list. Gives what unbinds it. */
export function bind(keys, words, act, { typing = false } = {}) {
  const one = { words, act, typing };
  known.set(keys, one);
  return () => { if (known.get(keys) === one) known.delete(keys); };
}

/** Bind while a screen is shown. */
export function bindFor(signal, keys, words, act, options) {
  signal.addEventListener("abort", bind(keys, words, act, options));
}

/** Show all that are bound now. */
export function showKeys() {
  const rows = [...known].filter(([, { words }]) => words)
    .map(([keys, { words }]) => h("tr", h("td", keys.split(" ").map((each) => [h("kbd", shown(each)), " "])), h("td", words)));
  dialog({ title: "Keyboard shortcuts", body: h("table.keys", h("tbody", rows)) });
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !/^(checkbox|radio)$/.test(event.target.type);
    const name = (event.ctrlKey || event.metaKey ? "mod+" : "") + event.key.toLowerCase();
    if (event.altKey || (document.querySelector("dialog[open]") && name !== "mod+enter")) return;
    const pair = before ? `${before} ${name}` : "";
    const found = known.get(pair) || known.get(name);
    clearTimeout(timer);
    before = typing || found ? "" : name;
    timer = setTimeout(() => { before = ""; }, 900);
    if (!found || (typing && !found.typing)) return;
    event.preventDefault();
    found.act(event);
  });
}

const shown = (key) => ({ "mod+enter": "Ctrl Enter", "mod+k": "Ctrl K", escape: "Esc" })[key] || key;

// What stands where data would: nothing there, something wrong, still coming.

import { h } from "./dom.js";

/** Nothing to show: what that means, and what to do. */
export const empty = (title, text, ...actions) => h("div.empty", h("p.empty-title", title), text ? h("p.muted", text) : null, actions.length ? h("div.row", actions) : null);

/** Something failed: its words, and how to try again. */
export const trouble = (error, again) => h("div.trouble", { role: "alert" }, h("p", error.message || String(error)),
  error.drawing ? h("pre", error.drawing) : null, again ? h("button", { type: "button", onclick: again }, "Try again") : null);

/** Still coming. */
export const waiting = (words = "Loading") => h("p.waiting", { role: "status" }, `${words}…`);

/** A titled part of a screen: panel("Findings", {id, actions}, ...children). */
export const panel = (title, { actions, id, tight } = {}, ...children) => h("section.panel", { id, class: tight ? "tight" : null },
  title || actions ? h("header.panel-head", title ? h("h2", title) : h("span"), h("div.row", actions || [])) : null, h("div.panel-body", children));

/** The top of a screen: its name, a sentence, and what can be done. */
export const heading = (title, { about, actions } = {}) => h("header.heading", h("div", h("h1", title), about ? h("p.muted", about) : null), h("div.row", actions || []));

/** Tabs: [{id, title, count, show(root)}]; gives the element. `chosen`: the id; `onchoose(id)`. */
export function tabs(list, { chosen, onchoose, label }) {
  const body = h("div.tab-body", { role: "tabpanel", tabindex: "0" });
  const buttons = list.map((each) => h("button", {
    type: "button", role: "tab", id: `tab-${each.id}`, onclick: () => choose(each.id, true),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = list[(list.indexOf(each) + step + list.length) % list.length];
      choose(next.id, true);
      buttons[list.indexOf(next)].focus();
    },
  }, each.title, each.count === undefined ? null : h("span.count", each.count)));
  const choose = (id, told) => {
    const found = Math.max(list.findIndex((each) => each.id === id), 0);
    buttons.forEach((each, i) => { each.setAttribute("aria-selected", String(i === found)); each.tabIndex = i === found ? 0 : -1; });
    body.setAttribute("aria-labelledby", `tab-${list[found].id}`);
    body.replaceChildren();
    list[found].show(body);
    if (told) onchoose?.(list[found].id);
  };
  const element = h("div.tabs", h("div.tab-list", { role: "tablist", "aria-label": label || null }, buttons), body);
  choose(chosen, false);
  return { element, choose, buttons };
}

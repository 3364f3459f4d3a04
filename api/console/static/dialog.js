// Dialogs: the browser's own <dialog>, which keeps the focus in and closes with Escape.

import { fill, fresh, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Show a dialog. `body`: nodes; `actions`: [{label, kind, act}], where `act` may be async, throws to stay open (its message is
 * shown), and closes otherwise. Gives {element, close, done}: `done` is a promise of what the action returned, undefined when left.
 */
export function dialog({ title, body, actions = [], wide = false, onclose }) {
  const id = fresh("dialog");
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  let settle;
  const done = new Promise((resolve) => { settle = resolve; });
  const buttons = actions.map(({ label, kind = "", act }) => h("button", {
    type: kind === "main" || kind === "danger" ? "submit" : "button", class: kind,
    onclick: async (event) => { event.preventDefault(); await run(act, buttons); },
  }, label));
  const form = h("form", { method: "dialog", novalidate: true }, h("div.dialog-body", body), wrong,
    h("div.dialog-foot", h("button", { type: "button", onclick: () => element.close() }, actions.length ? "Cancel" : "Close"), buttons));
  const element = h("dialog", { "aria-labelledby": id, class: wide ? "wide" : null },
    h("header.dialog-head", h("h2", { id }, title),
      h("button.plain", { type: "button", "aria-label": "Close", onclick: () => element.close() }, icon("close"))), form);
  form.addEventListener("submit", (event) => event.preventDefault());
  element.addEventListener("close", () => { element.remove(); settle(undefined); onclose?.(); });
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  element.showModal();

  async function run(act, all) {
    wrong.hidden = true;
    all.forEach((each) => { each.disabled = true; });
    try {
      const answer = await act?.();
      settle(answer === undefined ? true : answer);
      element.close();
    } catch (error) {
      fill(wrong, error.message || String(error));
      wrong.hidden = false;
    } finally {
      all.forEach((each) => { each.disabled = false; });
    }
  }
  return { element, close: () => element.close(), done, wrong };
}

/** Ask whether to go on; gives true or undefined. */
export function confirm({ title, text, label = "Go on", danger = false, act }) {
  return dialog({ title, body: h("p", text), actions: [{ label, kind: danger ? "danger" : "main", act }] }).done;
}

/** A menu at a button: [{label, act, icon, checked}]; arrow keys move, Escape closes. */
export function menu(button, items) {
  const open = document.querySelector(".menu");
  open?.remove();
  if (open && open.dataset.of === button.id) return;
  button.id ||= fresh("menu");
  const list = h("div.menu", { role: "menu", data: { of: button.id } }, items.map((each) => h("button", {
    type: "button", role: each.checked === undefined ? "menuitem" : "menuitemcheckbox",
    "aria-checked": each.checked === undefined ? null : String(each.checked),
    onclick: () => { if (each.checked === undefined) leave(); each.act(list); },
  }, each.icon ? icon(each.icon) : null, each.label)));
  const leave = () => { list.remove(); button.setAttribute("aria-expanded", "false"); document.removeEventListener("pointerdown", outside); };
  const outside = (event) => { if (!list.contains(event.target) && !button.contains(event.target)) leave(); };
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") { leave(); button.focus(); } else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", outside);
  const box = button.getBoundingClientRect();
  button.setAttribute("aria-expanded", "true");
  button.closest("dialog") ? button.closest("dialog").append(list) : document.body.append(list);
  list.style.top = `${Math.min(box.bottom + 4, innerHeight - list.offsetHeight - 8)}px`;
  list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
  list.querySelector("button")?.focus();
}

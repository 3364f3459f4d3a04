// Short messages that come and go, read out by screen readers.

import { h } from "./dom.js";
import { icon } from "./icons.js";

let place = null;

/** Say something: kind is "good", "bad" or "plain". */
export function toast(text, kind = "good") {
  place ||= document.body.appendChild(h("div.toasts", { role: "status", "aria-live": "polite" }));
  const close = () => one.remove();
  const one = h("div.toast", { data: { kind } }, h("span", text),
    h("button.plain", { type: "button", "aria-label": "Close message", onclick: close }, icon("close")));
  place.append(one);
  setTimeout(close, kind === "bad" ? 12_000 : 5_000);
}

/** Say what went wrong. */
export const oops = (error) => { if (error?.name !== "AbortError") toast(error.message || String(error), "bad"); };

// The frame around every screen: navigation, who is signed in, the theme, the way to any screen by typing.

import { dialog, menu } from "./dialog.js";
import { fill, h } from "./dom.js";
import { live } from "./events.js";
import { icon } from "./icons.js";
import { keep, kept } from "./kept.js";
import { bind, showKeys } from "./keys.js";
import { go, href } from "./router.js";
import { SCREENS } from "./screens.js";
import { session } from "./session.js";
import { brief } from "./words.js";

/** Draw the frame; gives {main, mark(screen)}. `leave` signs out. */
export function frame(leave) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const badge = h("span.badge", { hidden: true });
  const groups = new Map();
  for (const screen of SCREENS.filter((each) => each.menu !== undefined)) {
    if (!groups.has(screen.menu)) groups.set(screen.menu, []);
    groups.get(screen.menu).push(screen);
  }
  const links = new Map();
  const nav = h("nav", { id: "nav", "aria-label": "Screens" }, [...groups].map(([name, screens]) => [
    name ? h("h2.nav-group", name) : null,
    h("ul", screens.map((each) => {
      const link = h("a", { href: href(each.path) }, icon(each.icon), h("span", each.title), each.path === "/alerts" ? badge : null);
      links.set(each.path, link);
      if (each.key) bind(`g ${each.key}`, `Go to ${each.title}`, () => go(each.path));
      return h("li", link);
    })),
  ]));
  const toggle = h("button.plain.nav-toggle", {
    type: "button", "aria-controls": "nav", "aria-expanded": "false", "aria-label": "Screens",
    onclick: () => open(shell.dataset.nav !== "open"),
  }, icon("menu"));
  const light = h("span.light", { data: { state: "off" } }, "connecting");
  const account = h("button.plain.account", {
    type: "button", "aria-haspopup": "menu", "aria-expanded": "false",
    onclick: () => menu(account, [
      { label: dark() ? "Light theme" : "Dark theme", icon: dark() ? "sun" : "moon", act: flip },
      { label: "Keyboard shortcuts", icon: "keys", act: showKeys },
      { label: "API reference", icon: "api", act: () => window.open("/docs", "_blank", "noopener") },
      { label: "Sign out", icon: "out", act: leave },
    ]),
  }, h("span.avatar", { "aria-hidden": "true" }, (session()?.name || "?").slice(0, 1).toUpperCase()),
  h("span.account-name", session()?.name || ""), h("span.muted", session()?.role || ""));
  const shell = h("div.shell",
    h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the screen"),
    h("header.top", toggle, h("a.brand", { href: href("/") }, mark(), h("span", "Tidegate")),
      h("button.find", { type: "button", onclick: find }, icon("investigate"), h("span", "Go to…"), h("kbd", "Ctrl K")),
      h("span.spacer"), light, account),
    h("div.side", nav), main);
  const open = (yes) => { shell.dataset.nav = yes ? "open" : ""; toggle.setAttribute("aria-expanded", String(yes)); };
  fill(document.body, shell);
  bind("?", "Show these", showKeys);
  bind("mod+k", "Go to a screen or a resource", find, { typing: true });
  bind("t", "Change between light and dark", flip);
  live("connection", (there) => { light.dataset.state = there ? "ok" : "bad"; fill(light, there ? "live" : "no connection"); });
  live("status", (told) => {
    badge.hidden = !told.alerts?.open;
    fill(badge, brief(told.alerts?.open), h("span.hidden-text", " open"));
    light.dataset.state = told.lag > 1000 ? "warn" : "ok";
    fill(light, told.lag > 1000 ? `${brief(told.lag)} records behind` : "live");
  });
  return {
    main,
    mark(screen) {
      open(false);
      for (const [path, link] of links) {
        if (path === screen?.path || path === screen?.within) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    },
  };
}

/** Take the theme that was chosen; the system's where none was. */
export function theme() {
  const chosen = kept("theme", "");
  if (chosen) document.documentElement.dataset.theme = chosen;
}

const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function flip() {
  const next = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  keep("theme", next);
  window.dispatchEvent(new Event("theme"));
}

function mark() {
  const picture = h("span.mark", { "aria-hidden": "true" });
  return picture;
}

function find() {
  const screens = SCREENS.filter((each) => each.menu !== undefined);
  const list = h("ul.find-list", { role: "listbox", id: "find-list", "aria-label": "Places" });
  let chosen = 0;
  let shown = [];
  const draw = () => {
    const text = input.value.trim();
    shown = screens.filter((each) => each.title.toLowerCase().includes(text.toLowerCase()))
      .map((each) => ({ title: each.title, picture: each.icon, to: each.path }));
    if (/^P-\d+$/i.test(text)) shown.unshift({ title: `Alert ${text}`, picture: "alerts", to: `/alerts/${encodeURIComponent(text.toUpperCase())}` });
    if (text.startsWith("rrn:")) shown.unshift({ title: `Resource ${text}`, picture: "accounts", to: href("/resource", { rrn: text }).slice(8) });
    if (/^config\s/i.test(text)) shown.unshift({ title: "Run as RQL", picture: "play", to: href("/investigate", { query: text }).slice(8) });
    chosen = Math.min(chosen, Math.max(shown.length - 1, 0));
    fill(list, shown.map((each, i) => h("li", {
      role: "option", id: `find-${i}`, "aria-selected": String(i === chosen), onclick: () => take(each),
    }, icon(each.picture), each.title)));
    input.setAttribute("aria-activedescendant", shown.length ? `find-${chosen}` : "");
  };
  const take = (each) => { box.close(); go(each.to); };
  const input = h("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "find-list", autocomplete: "off", spellcheck: "false",
    "aria-label": "Go to", placeholder: "A screen, an alert's id, an rrn, or RQL", oninput: () => { chosen = 0; draw(); },
    onkeydown: (event) => {
      if (event.key === "ArrowDown") chosen = Math.min(chosen + 1, shown.length - 1);
      else if (event.key === "ArrowUp") chosen = Math.max(chosen - 1, 0);
      else if (event.key === "Enter") { event.preventDefault(); if (shown[chosen]) take(shown[chosen]); return; } else return;
      event.preventDefault();
      draw();
    },
  });
  const box = dialog({ title: "Go to", body: [input, list] });
  draw();
  input.focus();
}

// Addresses and screens: which screen an address means, how to go there, and what is kept in the address.

import { SCREENS } from "./screens.js";

const BASE = "/console";

let show = () => {};
let leave = new AbortController();

/** Begin: `draw(screen, context)` is called for the address that is there, and for each one after it. */
export function start(draw) {
  show = draw;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const to = new URL(link.href, location.href);
    if (to.origin !== location.origin || !(to.pathname === BASE || to.pathname.startsWith(`${BASE}/`)) || link.target || link.download) return;
    event.preventDefault();
    go(to.pathname.slice(BASE.length) + to.search);
  });
  window.addEventListener("popstate", () => render());
  render();
}

/** Go to an address such as "/alerts?status=open". */
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", BASE + (path || "/"));
  render();
  scrollTo(0, 0);
}

/** The href of an address, with a query: href("/resource", {rrn}). */
export function href(path, query = {}) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null && one !== "") pairs.append(name, one);
  }
  return BASE + path + (pairs.size ? `?${pairs}` : "");
}

/** Change the query of the address without showing the screen anew. */
export function setQuery(query) {
  history.replaceState(null, "", href(location.pathname.slice(BASE.length), query));
}

/** Show the present address again. */
export function render() {
  leave.abort();
  leave = new AbortController();
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, "") || "/";
  for (const screen of SCREENS) {
    const params = match(screen.path, path);
    if (params) return show(screen, { params, query: new URLSearchParams(location.search), signal: leave.signal });
  }
  return show(null, { params: {}, query: new URLSearchParams(), signal: leave.signal });
}

function match(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params = {};
  for (let i = 0; i < wanted.length; i += 1) {
    if (wanted[i].startsWith(":")) params[wanted[i].slice(1)] = decodeURIComponent(given[i]);
    else if (wanted[i] !== given[i]) return null;
  }
  return params;
}

// An editor of RQL: a text field under coloured text, completion at the cursor, and a mark under what is wrong.

import { fill, fresh, h, settled } from "./dom.js";
import { OURS, post } from "./http.js";

const TOKENS = /('(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?)|\b(config from cloud\.resource where|and|or|not|in|addcolumn|limit search records to|contains|does not contain|exists|does not exist|is member of|is not member of|starts with|ends with|matches|does not match|equals|any|none|true|false|as|filter|count|greater than|less than|size|empty)\b|\b(json\.rule|[a-z]+\.[\w.]+)\b|\b(\d+(?:\.\d+)?)\b|([=!<>]+)/gi;
const CLASSES = ["code-text", "code-keyword", "code-name", "code-number", "code-operator"];

/** Gives {element, value(), set(text), focus(), fail(error), check()}. `run()` is called for Ctrl+Enter; `onchange(text)`. */
export function editor({ value = "", run, onchange, signal }) {
  const id = fresh("rql");
  const back = h("pre.rql-back", { "aria-hidden": "true" });
  const text = h("textarea.rql-text", {
    id, spellcheck: "false", autocomplete: "off", autocapitalize: "none", rows: 3, "aria-label": "Query in RQL", "aria-autocomplete": "list", "aria-controls": `${id}-list`, "aria-describedby": `${id}-wrong`,
    placeholder: "config from cloud.resource where cloud.type = 'aws' AND …", value,
  });
  const list = h("ul.rql-list", { id: `${id}-list`, role: "listbox", "aria-label": "How it may go on", hidden: true });
  const wrong = h("p.rql-wrong", { id: `${id}-wrong`, role: "status" });
  const element = h("div.rql", h("div.rql-box", back, text, list), wrong);
  let span = null;
  let offered = [];
  let at = 0;
  let asked = new AbortController();

  function paint() {
    const all = text.value;
    const parts = [];
    let last = 0;
    for (const match of all.matchAll(TOKENS)) {
      parts.push([last, match.index, ""], [match.index, match.index + match[0].length, CLASSES[match.slice(1).findIndex((each) => each !== undefined)]]);
      last = match.index + match[0].length;
    }
    parts.push([last, all.length, ""]);
    const pieces = [];
    for (const [from, to, kind] of parts) {
      for (const [a, b, bad] of cut(from, to)) if (b > a) pieces.push(kind || bad ? h("span", { class: [kind, bad && "rql-bad"].filter(Boolean).join(" ") }, all.slice(a, b)) : all.slice(a, b));
    }
    if (span && span[0] >= all.length) pieces.push(h("span.rql-bad", " "));
    fill(back, pieces, "\n");
    text.style.height = "auto";
    text.style.height = `${Math.max(text.scrollHeight, 72)}px`;
  }

  /** What the drawing says besides the message: a name that is near, which a click takes. */
  function hint(error) {
    const line = (error.drawing || "").trim().split("\n").pop() || "";
    if (!error.drawing || /^\s/.test(line) || line.includes("^") || line === error.message) return null;
    const near = /^did you mean (.+?)\?$/.exec(line);
    if (!near || !span) return h("span.muted", ` ${line}`);
    return h("button.plain.linkish", { type: "button", onclick: () => { text.setRangeText(near[1], span[0], span[1], "end"); text.focus(); changed(); } }, `Use ${near[1]}`);
  }

  function cut(from, to) {
    if (!span) return [[from, to, false]];
    const a = Math.max(from, Math.min(span[0], to));
    const b = Math.max(a, Math.min(span[1], to));
    return [[from, a, false], [a, b, true], [b, to, false]];
  }

  const units = (characters) => [...text.value].slice(0, characters).join("").length;
  const characters = (position) => [...text.value.slice(0, position)].length;

  function fail(error) {
    span = error?.span ? [units(error.span[0]), Math.max(units(error.span[1]), units(error.span[0]) + 1)] : null;
    fill(wrong, error ? [error.message, hint(error)] : "");
    text.toggleAttribute("aria-invalid", Boolean(error));
    paint();
  }

  const check = settled(async () => {
    if (signal?.aborted || !text.value.trim()) return fail(null);
    const now = text.value;
    try {
      await post(`${OURS}/rql/format`, { query: now }, { signal });
      if (now === text.value) fail(null);
    } catch (error) {
      // where the cursor is at the end, the query isn't wrong but unfinished
      if (now === text.value && error.span) fail(text.selectionStart === now.length && units(error.span[0]) >= now.length - 1 ? null : error);
    }
  }, 450);

  const offer = settled(async (asked_ = false) => {
    if (document.activeElement !== text || text.selectionStart !== text.selectionEnd) return close();
    asked.abort();
    asked = new AbortController();
    try {
      const { candidates } = await post(`${OURS}/rql/complete`, { query: text.value, position: characters(text.selectionStart) }, { signal: asked.signal });
      const before = text.value.slice(0, text.selectionStart);
      offered = candidates.filter((each) => before.slice(units(each.start)) !== each.text).slice(0, 12);
      if (!offered.length || (!asked_ && (!/[\w.'=(\s]$/.test(before) || (before.endsWith("'") && offered[0].kind !== "value")))) return close();
      at = 0;
      show();
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
    return undefined;
  }, 130);

  function show() {
    fill(list, offered.map((each, i) => h("li", { role: "option", id: `${id}-${i}`, "aria-selected": String(i === at), onpointerdown: (event) => { event.preventDefault(); at = i; take(); } },
      h("span.mono", each.text), h("span.muted", each.doc || each.kind))));
    list.hidden = false;
    text.setAttribute("aria-activedescendant", `${id}-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
    const { left, top } = caret();
    list.style.left = `${Math.max(0, Math.min(left, element.clientWidth - list.offsetWidth))}px`;
    list.style.top = `${top + 24}px`;
  }

  function caret() {
    const mark = h("span", "\u200b");
    fill(back, text.value.slice(0, text.selectionStart), mark, text.value.slice(text.selectionStart));
    const place = { left: mark.offsetLeft, top: mark.offsetTop };
    paint();
    return place;
  }

  function close() {
    list.hidden = true;
    text.removeAttribute("aria-activedescendant");
  }

  function take() {
    const chosen = offered[at];
    close();
    if (!chosen) return;
    text.setSelectionRange(units(chosen.start), text.selectionStart);
    // keeps the browser's own undo
    if (!document.execCommand("insertText", false, chosen.text)) text.setRangeText(chosen.text, units(chosen.start), text.selectionStart, "end");
    changed();
    offer();
  }

  function changed() {
    if (span) fail(null);
    paint();
    onchange?.(text.value);
    check();
  }

  text.addEventListener("input", () => { changed(); offer(); });
  text.addEventListener("blur", close);
  text.addEventListener("scroll", () => { back.scrollTop = text.scrollTop; });
  text.addEventListener("click", close);
  text.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); event.stopPropagation(); close(); run?.(); return; }
    if ((event.ctrlKey || event.metaKey) && event.key === " ") { event.preventDefault(); offer(true); return; }
    if (list.hidden) {
      if (event.key === "Escape") text.blur();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { at = (at + step + offered.length) % offered.length; show(); } else if (event.key === "Enter" || event.key === "Tab") take(); else if (event.key === "Escape") close(); else return;
    event.preventDefault();
    event.stopPropagation();
  });
  if (window.ResizeObserver) { const watch = new ResizeObserver(() => paint()); watch.observe(element); signal?.addEventListener("abort", () => watch.disconnect()); }
  paint();
  return {
    element, fail, check,
    value: () => text.value,
    set(more) { text.value = more; span = null; fill(wrong); paint(); onchange?.(more); },
    focus: () => text.focus(),
  };
}

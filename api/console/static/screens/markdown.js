// Markdown as elements, for the procedures of integrations. Text only ever becomes text; links go to https or nowhere.

import { h } from "../dom.js";

/** The elements of a text: headings, paragraphs, lists, tables, code, `code`, *emphasis*, **strong**, links. */
export function markdown(text) {
  const lines = text.replace(/<!--[\s\S]*?-->/g, "").split("\n");
  const made = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    if (!line.trim()) { i += 1; continue; }
    if (line.startsWith("```")) {
      const end = lines.findIndex((each, j) => j > i && each.startsWith("```"));
      const last = end < 0 ? lines.length : end;
      made.push(h("pre", h("code", lines.slice(i + 1, last).join("\n"))));
      i = last + 1;
    } else if (/^#{1,6} /.test(line)) {
      made.push(h(line.startsWith("### ") ? "h4" : "h3", inline(line.replace(/^#+ /, ""))));
      i += 1;
    } else if (/^\s*\|/.test(line)) {
      const rows = [];
      while (i < lines.length && /^\s*\|/.test(lines[i])) { rows.push(cells(lines[i])); i += 1; }
      const [head, , ...rest] = rows;
      made.push(h("div.table-scroll", { tabindex: "0" }, h("table.grid", h("thead", h("tr", head.map((each) => h("th", { scope: "col" }, inline(each))))), h("tbody", rest.map((row) => h("tr", row.map((each) => h("td", inline(each)))))))));
    } else if (/^\s*(\d+\.|[-*]) /.test(line)) {
      const ordered = /^\s*\d+\./.test(line);
      const items = [];
      while (i < lines.length && lines[i].trim() && (/^\s*(\d+\.|[-*]) /.test(lines[i]) || /^\s/.test(lines[i]))) {
        const item = /^\s*(\d+\.|[-*]) (.*)/.exec(lines[i]);
        if (item && !/^\s{2,}/.test(lines[i])) items.push(item[2]);
        else items[items.length - 1] += ` ${lines[i].trim()}`;
        i += 1;
      }
      made.push(h(ordered ? "ol" : "ul", items.map((each) => h("li", inline(each)))));
    } else {
      const words = [];
      while (i < lines.length && lines[i].trim() && !/^(#{1,6} |```|\s*\||\s*(\d+\.|[-*]) )/.test(lines[i])) { words.push(lines[i].trim()); i += 1; }
      if (words.length) made.push(h("p", inline(words.join(" ")))); else i += 1;
    }
  }
  return made;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((each) => each.trim());
const SPANS = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:\/\/[^>\s]+)>/g;

function inline(text) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(SPANS)) {
    parts.push(text.slice(last, match.index));
    const [whole, code, strong, soft, words, target, bare] = match;
    if (code !== undefined) parts.push(h("code", code));
    else if (strong !== undefined) parts.push(h("strong", strong));
    else if (soft !== undefined) parts.push(h("em", soft));
    else parts.push(link(words ?? bare, target ?? bare));
    last = match.index + whole.length;
  }
  parts.push(text.slice(last));
  return parts;
}

const link = (words, target) => (/^https:\/\//.test(target) ? h("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, words) : h("span", words));

// Charts as SVG, drawn at the width that there is, with the same figures as a table for those who listen.

import { h, s } from "./dom.js";
import { brief, number } from "./words.js";

/**
 * Bars over days. `days`: ISO dates; `series`: [{name, values, tone}] with one value a day, stacked. `title` names it.
 * `tone`: a severity, "opened", "resolved", or a number for one of six plain colours.
 */
export function bars({ title, days, series, height = 180, signal, pick }) {
  const there = series.filter((each) => each.values.some((value) => value));
  const legend = h("ul.legend", (there.length ? there : series).map((each) => h("li", h("span.swatch", { data: { tone: each.tone } }), each.name)));
  const place = h("div.chart-place", { style: { height: `${height}px` } });
  const figure = h("figure.chart", { "aria-label": title }, legend, place, tableOf(title, days, series));
  drawn(place, signal, (width) => {
    const left = 40;
    const bottom = 20;
    const sums = days.map((_, i) => series.reduce((sum, each) => sum + (each.values[i] || 0), 0));
    const top = nice(Math.max(...sums, 1));
    const step = (width - left) / days.length;
    const y = (value) => 6 + (height - bottom - 6) * (1 - value / top);
    const columns = days.map((day, i) => {
      let base = 0;
      const parts = series.map((each) => {
        const value = each.values[i] || 0;
        if (!value) return null;
        const part = s("rect.bar", { "data-tone": each.tone, x: left + i * step + step * 0.14, width: Math.max(step * 0.72, 1), y: y(base + value), height: Math.max(y(base) - y(base + value), 1), rx: Math.min(step * 0.1, 2) });
        base += value;
        return part;
      });
      const words = `${dayWords(day)}\n${series.map((each) => `${each.name}: ${number(each.values[i] || 0)}`).join("\n")}`;
      return s("g.column", { onclick: pick ? () => pick(day) : null }, s("rect.hit", { x: left + i * step, width: step, y: 0, height: height - bottom }), parts, s("title", words));
    });
    return picture(width, height, [grid(left, width, top, y), columns, dayAxis(days, left, step, height)]);
  });
  return figure;
}

/** Lines over moments. `points`: [{at (ms), values: [..]}]; `series`: [{name, tone}]. `unit` follows each figure. */
export function lines({ title, points, series, height = 140, unit = "", signal }) {
  const legend = h("ul.legend", series.map((each) => h("li", h("span.swatch", { data: { tone: each.tone } }), each.name)));
  const place = h("div.chart-place", { style: { height: `${height}px` } });
  const figure = h("figure.chart", { "aria-label": title }, legend, place);
  const state = { points };
  const redraw = drawn(place, signal, (width) => {
    const left = 40;
    const bottom = 20;
    const all = state.points;
    if (all.length < 2) return picture(width, height, [s("text.axis", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "measuring…")]);
    const from = all[0].at;
    const to = all[all.length - 1].at;
    const top = nice(Math.max(1, ...all.flatMap((each) => each.values)));
    const x = (at) => left + ((width - left - 4) * (at - from)) / (to - from || 1);
    const y = (value) => 6 + (height - bottom - 6) * (1 - value / top);
    const paths = series.map((each, n) => {
      const d = all.map((point, i) => `${i ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.values[n]).toFixed(1)}`).join("");
      return [s("path.area", { "data-tone": each.tone, d: `${d}L${x(to).toFixed(1)} ${y(0)}L${x(from).toFixed(1)} ${y(0)}Z` }), s("path.line", { "data-tone": each.tone, d })];
    });
    const ends = [from, to].map((at, i) => s("text.axis", { x: x(at), y: height - 5, "text-anchor": i ? "end" : "start" }, new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })));
    return picture(width, height, [grid(left, width, top, y, unit), paths, ends]);
  });
  return { element: figure, set(more) { state.points = more; redraw(); } };
}

/** One bar a line, the largest first: [{name, value, tone, href}]. */
export function ranks({ title, rows, total }) {
  const most = Math.max(1, ...rows.map((each) => each.value));
  return h("ul.ranks", { "aria-label": title }, rows.map((each) => h("li",
    h("span.rank-name", each.href ? h("a", { href: each.href }, each.name) : each.name),
    h("span.rank-bar", { "aria-hidden": "true" }, h("span", { data: { tone: each.tone ?? 0 }, style: { width: `${Math.max((each.value / most) * 100, 1)}%` } })),
    h("span.rank-value", { title: total ? `${((each.value / total) * 100).toFixed(1)} %` : null }, number(each.value)))));
}

function drawn(place, signal, draw) {
  let width = 0;
  const redraw = () => { if (width) place.replaceChildren(draw(width)); };
  const watch = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now !== width) { width = now; redraw(); }
  });
  watch.observe(place);
  signal?.addEventListener("abort", () => watch.disconnect());
  return redraw;
}

const picture = (width, height, children) => s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, children);

function grid(left, width, top, y, unit = "") {
  return [0, 0.5, 1].map((part) => [
    s("line.gridline", { x1: left, x2: width, y1: y(top * part), y2: y(top * part) }),
    s("text.axis", { x: left - 6, y: y(top * part) + 4, "text-anchor": "end" }, Number.isInteger(top * part) ? brief(top * part) : "", part === 1 ? unit : ""),
  ]);
}

function dayAxis(days, left, step, height) {
  const every = Math.max(1, Math.ceil(64 / step));
  return days.map((day, i) => (i % every ? null : s("text.axis", { x: left + i * step + step / 2, y: height - 5, "text-anchor": i === 0 ? "start" : "middle" }, dayWords(day))));
}

const dayWords = (day) => new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

function nice(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 3, 4, 5, 6, 8, 10]) if (value <= step * size) return step * size;
  return 10 * size;
}

function tableOf(title, days, series) {
  return h("div.hidden-text", h("table", h("caption", title), h("thead", h("tr", h("th", { scope: "col" }, "Day"), series.map((each) => h("th", { scope: "col" }, each.name)))),
    h("tbody", days.map((day, i) => h("tr", h("th", { scope: "row" }, day), series.map((each) => h("td", each.values[i] || 0)))))));
}

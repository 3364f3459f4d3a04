// Small pictures, drawn as lines in the text's colour.

import { s } from "./dom.js";

const PATHS = {
  overview: ["M3 13h7V3H3zM14 21h7V11h-7zM3 21h7v-4H3zM14 7h7V3h-7z"],
  investigate: ["M10.500 18a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15zM16 16l5 5"],
  alerts: ["M6 9a6 6 0 0 1 12 0c0 7 2.500 8 2.500 8h-17S6 16 6 9M10 21h4"],
  policies: ["M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM8.500 12l2.500 2.500L15.500 10"],
  rules: ["M4 6h10M18 6h2M4 12h2M10 12h10M4 18h8M16 18h4M14 4v4M6 10v4M12 16v4"],
  templates: ["M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h7"],
  integrations: ["M9 7V3M15 7V3M6 7h12v4a6 6 0 0 1-12 0zM12 17v4"],
  letters: ["M3 6h18v13H3zM3 7l9 7 9-7"],
  snapshots: ["M4 7h3l2-3h6l2 3h3v13H4zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8z"],
  accounts: ["M7 18a4.500 4.500 0 0 1-.500-9A6 6 0 0 1 18 10.500 3.800 3.800 0 0 1 17.500 18z"],
  users: ["M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6.500 7-6.500s7 2.500 7 6.500M16 3.500a4 4 0 0 1 0 7M18 15c2.500.800 4 3 4 6"],
  log: ["M8 5h13M8 12h13M8 19h13M3 5h.01M3 12h.01M3 19h.01"],
  api: ["M8 6l-6 6 6 6M16 6l6 6-6 6M14 4l-4 16"],
  close: ["M6 6l12 12M18 6L6 18"],
  menu: ["M4 6h16M4 12h16M4 18h16"],
  sun: ["M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12 1v3M12 20v3M1 12h3M20 12h3M4.200 4.200l2 2M17.800 17.800l2 2M4.200 19.800l2-2M17.800 6.200l2-2"],
  moon: ["M21 13A9 9 0 1 1 11 3a7 7 0 0 0 10 10z"],
  out: ["M10 4H4v16h6M15 8l4 4-4 4M19 12H9"],
  download: ["M12 3v12M7 11l5 5 5-5M4 21h16"],
  columns: ["M4 4h16v16H4zM10 4v16M15 4v16"],
  left: ["M15 5l-7 7 7 7"],
  right: ["M9 5l7 7-7 7"],
  down: ["M5 9l7 7 7-7"],
  check: ["M4 12.500l5 5L20 7"],
  plus: ["M12 4v16M4 12h16"],
  trash: ["M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6"],
  edit: ["M4 20l1-5L16 4l4 4L9 19z"],
  play: ["M7 4l13 8-13 8z"],
  save: ["M5 3h12l3 3v15H4V3zM8 3v6h8V3M7 21v-7h10v7"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2"],
  keys: ["M2 7h20v11H2zM6 11h.01M10 11h.01M14 11h.01M18 11h.01M7 15h10"],
  refresh: ["M20 11a8 8 0 1 0-2.500 6.500M20 4v7h-7"],
  copy: ["M9 9h11v12H9zM5 15H4V3h11v2"],
  more: ["M5 12h.01M12 12h.01M19 12h.01"],
  link: ["M10 14a4 4 0 0 0 6 .500l3-3a4 4 0 0 0-6-6l-1.500 1.500M14 10a4 4 0 0 0-6-.500l-3 3a4 4 0 0 0 6 6l1.500-1.500"],
  help: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .800-1 1.700M12 17h.01"],
};

/** The picture of that name; screen readers pass over it. */
export function icon(name) {
  const lines = (PATHS[name] || PATHS.help).map((d) => s("path", { d }));
  return s("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, lines);
}

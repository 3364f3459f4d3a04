// Elements out of names, attributes and texts. Text only ever becomes a text node: nothing here can make markup of it.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: h("a.button", {href, onclick}, "text", [nodes]). Null, undefined and false are left out. */
export function h(name, ...rest) {
  return made((tag) => document.createElement(tag), name, rest);
}

/** The same for SVG. */
export function s(name, ...rest) {
  return made((tag) => document.createElementNS(SVG, tag), name, rest);
}

/** Put children in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** Call later, once, after calls have stopped coming for `ms`. */
export function settled(work, ms = 200) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), ms);
  };
}

let numbers = 0;

/** A new id for an element that another one names. */
export function fresh(word = "e") {
  numbers += 1;
  return `${word}-${numbers}`;
}

function made(create, name, rest) {
  const [tag, ...classes] = name.split(".");
  const element = create(tag || "div");
  if (classes.length) element.setAttribute("class", classes.join(" "));
  const first = rest[0];
  if (first && typeof first === "object" && !(first instanceof Node) && !Array.isArray(first)) {
    rest = rest.slice(1);
    for (const [key, value] of Object.entries(first)) give(element, key, value);
  }
  element.append(...flat(rest));
  return element;
}

function give(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "style") for (const [name, one] of Object.entries(value)) element.style.setProperty(name, one);
  else if (key === "data") Object.assign(element.dataset, value);
  else if (key === "class") element.setAttribute("class", [element.getAttribute("class"), value].filter(Boolean).join(" "));
  else if (key === "value" || key === "checked" || key === "indeterminate") element[key] = value;
  else element.setAttribute(key, value === true ? "" : String(value));
}

function flat(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => (each instanceof Node ? each : document.createTextNode(String(each))));
}

// Forms out of JSON Schema, as pydantic prints it: one field a property, with its description, example and errors.

import { fill, fresh, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * A form of `schema` with `value`. `only`, `without`: names of fields; `labels`: {name: label}; `widgets`: {name: (field) => {element,
 * value(), set(v)}} for fields that need their own. Gives {element, value(), fail(message), focus(), dirty()}.
 */
export function form(schema, value = {}, { only, without = [], labels = {}, widgets = {}, onchange } = {}) {
  const root = objectField(schema, schema, value ?? {}, { only, without, labels, widgets, path: "" });
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const element = h("div.form", wrong, root.element);
  const begun = JSON.stringify(root.value());
  element.addEventListener("input", () => onchange?.(root.value()));
  element.addEventListener("change", () => onchange?.(root.value()));
  return {
    element,
    value: root.value,
    dirty: () => JSON.stringify(root.value()) !== begun,
    focus: () => element.querySelector("input, select, textarea")?.focus(),
    /** Show an error of the API at the field that it names; at the top where it names none. Gives whether a field was found. */
    fail(message) {
      clear(element);
      wrong.hidden = true;
      if (!message) return false;
      let found = false;
      for (const line of String(message).split(/;\s+|\n/)) {
        const place = [...element.querySelectorAll("[data-path]")].filter((each) => names(line, each.dataset.path)).pop();
        if (place) { mark(place, line); found = true; } else { fill(wrong, wrong.hidden ? line : `${wrong.textContent}; ${line}`); wrong.hidden = false; }
      }
      (element.querySelector("[aria-invalid]") || wrong).scrollIntoView?.({ block: "center" });
      element.querySelector("[aria-invalid]")?.focus();
      return found;
    },
  };
}

/** One labelled field around an input of your own: labelled("Note", textarea, {hint}). */
export function labelled(label, input, { hint, path, required } = {}) {
  input.id ||= fresh("field");
  const about = hint ? h("p.hint", { id: `${input.id}-hint` }, hint) : null;
  if (about) input.setAttribute("aria-describedby", about.id);
  return h("div.field", { data: path ? { path } : {} }, h("label", { for: input.id }, label, required ? h("span.needed", { title: "required" }, " *") : null), input, about);
}

/** Follow `$ref`; an `anyOf` with null is the other one. */
export function resolve(schema, root) {
  let found = schema;
  while (found?.$ref) found = { ...at(root, found.$ref), ...rest(found) };
  const kinds = found?.anyOf || found?.oneOf;
  if (kinds) {
    const real = kinds.filter((each) => each.type !== "null");
    if (real.length === 1) return { ...resolve(real[0], root), ...rest(found), nullable: kinds.length > 1 };
  }
  if (found?.allOf?.length === 1) return { ...resolve(found.allOf[0], root), ...rest(found) };
  return found || {};
}

const at = (root, ref) => ref.replace(/^#\//, "").split("/").reduce((node, key) => node?.[key], root);
const rest = ({ $ref, anyOf, oneOf, allOf, ...others }) => others;
const names = (line, path) => path && (line.startsWith(`${path}:`) || line.startsWith(`${path} `) || new RegExp(`(^|[\\s.])${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}:`).test(line));
const titled = (name, schema) => (schema.title && schema.title.toLowerCase() !== name.replaceAll("_", " ") ? schema.title : name.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase()));

function objectField(schema, root, value, how) {
  const known = resolve(schema, root).properties || {};
  const needed = new Set(resolve(schema, root).required || []);
  const fields = new Map();
  for (const [name, one] of Object.entries(known)) {
    if (how.without?.includes(name) || (how.only && !how.only.includes(name))) continue;
    fields.set(name, field(name, resolve(one, root), root, value?.[name], { ...how, only: null, without: [], required: needed.has(name), path: how.path ? `${how.path}.${name}` : name }));
  }
  return {
    element: h("div.fields", [...fields.values()].map((each) => each.element)),
    value() {
      const made = {};
      for (const [name, each] of fields) {
        const one = each.value();
        if (one !== undefined) made[name] = one;
      }
      return made;
    },
  };
}

function field(name, schema, root, value, how) {
  const label = how.labels[how.path] || how.labels[name] || titled(name, schema);
  const start = value === undefined ? schema.default : value;
  const own = how.widgets[how.path] || how.widgets[name];
  if (own) {
    const made = own({ name, schema, value: start, label });
    return { element: h("div.field", { data: { path: how.path } }, made.element), value: made.value };
  }
  const kind = schema.type;
  if (schema.const !== undefined) return { element: null, value: () => schema.const };
  if (kind === "boolean") return flag(label, schema, start, how);
  if (schema.enum) return choice(label, schema, start, how);
  if (kind === "array") return listed(label, schema, root, start, how);
  if (kind === "object" && schema.properties) {
    const inner = objectField(schema, root, start || {}, how);
    return { element: h("fieldset", h("legend", label), schema.description ? h("p.hint", schema.description) : null, inner.element), value: inner.value };
  }
  if (kind === "object" && ["string", undefined].includes(resolve(schema.additionalProperties || {}, root).type) && schema.additionalProperties) return pairs(label, schema, start, how);
  if (!kind || kind === "object") return raw(label, schema, start, how);
  return line(label, schema, start, how);
}

function line(label, schema, start, how) {
  const numeric = schema.type === "integer" || schema.type === "number";
  const secret = schema.format === "password" || schema.writeOnly;
  const long = schema.format === "textarea" || (schema.maxLength || 0) > 1000 || String(start ?? "").includes("\n");
  const input = long ? h("textarea", { rows: 4 }) : h("input", {
    type: secret ? "password" : numeric ? "number" : "text", step: schema.type === "number" ? "any" : null, min: schema.minimum, max: schema.maximum,
    autocomplete: secret ? "new-password" : "off", spellcheck: "false",
  });
  input.placeholder = schema.examples?.[0] !== undefined && !secret ? String(schema.examples[0]) : "";
  if (start !== null && start !== undefined) input.value = String(start);
  return {
    element: labelled(label, input, { hint: schema.description, path: how.path, required: how.required }),
    value() {
      if (input.value === "") return schema.nullable ? null : how.required || (start !== undefined && start !== null && start !== "") ? "" : undefined;
      return numeric ? Number(input.value) : input.value;
    },
  };
}

function flag(label, schema, start, how) {
  const input = h("input", { type: "checkbox", role: "switch", checked: Boolean(start), id: fresh("field") });
  return {
    element: h("div.field.flag", { data: { path: how.path } }, h("label.switch", input, h("span", label)), schema.description ? h("p.hint", schema.description) : null),
    value: () => input.checked,
  };
}

function choice(label, schema, start, how) {
  const input = h("select", how.required && start ? null : h("option", { value: "" }, "–"), schema.enum.map((each) => h("option", { value: each, selected: each === start }, each)));
  return { element: labelled(label, input, { hint: schema.description, path: how.path, required: how.required }), value: () => (input.value === "" ? (schema.nullable ? null : undefined) : input.value) };
}

function listed(label, schema, root, start, how) {
  const each = resolve(schema.items || {}, root);
  if (each.enum) {
    const boxes = each.enum.map((one) => h("input", { type: "checkbox", value: one, checked: (start || []).includes(one) }));
    return {
      element: h("fieldset.choices", { data: { path: how.path } }, h("legend", label), boxes.map((box) => h("label.check", box, box.value)), schema.description ? h("p.hint", schema.description) : null),
      value: () => boxes.filter((box) => box.checked).map((box) => box.value),
    };
  }
  if (each.type === "object" && each.properties) return repeated(label, schema, each, root, start, how);
  const input = h("textarea", { rows: Math.min(Math.max((start || []).length + 1, 2), 8), spellcheck: "false", value: (start || []).map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n") });
  return {
    element: labelled(label, input, { hint: [schema.description, " One a line."], path: how.path, required: how.required }),
    value: () => input.value.split("\n").map((one) => one.trim()).filter(Boolean).map((one) => (each.type === "integer" || each.type === "number" ? Number(one) : one)),
  };
}

function repeated(label, schema, each, root, start, how) {
  const place = h("div.repeated");
  const entries = [];
  const add = (value) => {
    const inner = objectField(each, root, value, { ...how, path: `${how.path}.${entries.length}` });
    const one = { inner, element: h("div.entry", inner.element, h("button.plain", { type: "button", "aria-label": "Remove", onclick: () => { entries.splice(entries.indexOf(one), 1); one.element.remove(); } }, icon("trash"))) };
    entries.push(one);
    place.append(one.element);
  };
  (start || []).forEach(add);
  return {
    element: h("fieldset", { data: { path: how.path } }, h("legend", label), schema.description ? h("p.hint", schema.description) : null, place, h("button", { type: "button", onclick: () => add({}) }, icon("plus"), "Add")),
    value: () => entries.map((one) => one.inner.value()),
  };
}

function pairs(label, schema, start, how) {
  const place = h("div.pairs");
  const entries = [];
  const add = (key = "", value = "") => {
    const left = h("input", { type: "text", value: key, "aria-label": `${label}: name` });
    const right = h("input", { type: "text", value: typeof value === "string" ? value : JSON.stringify(value), "aria-label": `${label}: value` });
    const one = { left, right, element: h("div.pair", left, right, h("button.plain", { type: "button", "aria-label": "Remove", onclick: () => { entries.splice(entries.indexOf(one), 1); one.element.remove(); } }, icon("trash"))) };
    entries.push(one);
    place.append(one.element);
  };
  Object.entries(start || {}).forEach(([key, value]) => add(key, value));
  return {
    element: h("fieldset", { data: { path: how.path } }, h("legend", label), schema.description ? h("p.hint", schema.description) : null, place, h("button", { type: "button", onclick: () => add() }, icon("plus"), "Add")),
    value: () => Object.fromEntries(entries.filter((one) => one.left.value.trim()).map((one) => [one.left.value.trim(), one.right.value])),
  };
}

function raw(label, schema, start, how) {
  const input = h("textarea.code", { rows: 6, spellcheck: "false", value: start === undefined || start === null ? "" : JSON.stringify(start, null, 2) });
  return {
    element: labelled(label, input, { hint: [schema.description, " As JSON."], path: how.path, required: how.required }),
    value() {
      if (!input.value.trim()) return undefined;
      try {
        return JSON.parse(input.value);
      } catch {
        throw new Error(`${how.path}: it isn't JSON`);
      }
    },
  };
}

function mark(place, text) {
  const input = place.matches("input, select, textarea") ? place : place.querySelector("input, select, textarea");
  const id = fresh("wrong");
  place.append(h("p.wrong.small", { id }, text));
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-errormessage", id);
}

function clear(element) {
  element.querySelectorAll(".wrong.small").forEach((each) => each.remove());
  element.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
}

// What every screen of set-up objects shares: reading and writing them with their versions, ids made of names, switches.

import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { OURS, call, get } from "../http.js";
import { mayChange } from "../session.js";
import { oops, toast } from "../toast.js";

const CONTROL = `${OURS}/control`;

/** The objects of a kind, such as "alert-rule". */
export const objects = async (kind, signal) => (await get(`${CONTROL}/${kind}`, {}, { signal })).objects;

/** One object with what refers to it. */
export const object = (kind, id, signal) => get(place(kind, id), {}, { signal });

/** Make a new object; its id is made of its name. Gives it as it was written. */
export async function create(kind, fields, id = "") {
  for (let attempt = 1; ; attempt += 1) {
    const wanted = id || slug(fields.name) + (attempt > 1 ? `-${attempt}` : "");
    try {
      return await call("PUT", place(kind, wanted), { body: fields, headers: { "if-match": "0" } });
    } catch (error) {
      if (error.status !== 412 || id || attempt > 20) throw error.status === 412 ? new Error(`id: ${wanted} is there already: choose another`) : error;
    }
  }
}

/** Write an object anew, or some fields of it; what somebody else changed meanwhile is never written over. */
export async function write(kind, id, fields, version, { merge = false } = {}) {
  try {
    return await call(merge ? "PATCH" : "PUT", place(kind, id), { body: fields, headers: version === undefined ? {} : { "if-match": String(version) } });
  } catch (error) {
    if (error.status === 412) throw new Error("Somebody else has changed it meanwhile: load the page again, then change it once more.");
    throw error;
  }
}

/** Delete an object after asking; `text` says what that does. Gives whether it was deleted. */
export async function remove(kind, id, name, text, before) {
  const done = await confirm({
    title: `Delete ${name}?`, text, label: "Delete", danger: true,
    act: async () => { await before?.(); await call("DELETE", place(kind, id)); },
  });
  if (done) toast(`${name} is deleted`);
  return Boolean(done);
}

/** A switch that is written at once; `set(on)` writes. Readers see it and can't move it. */
export function flick(label, on, set) {
  const input = h("input", { type: "checkbox", role: "switch", checked: on, "aria-label": label, disabled: !mayChange() });
  input.addEventListener("change", async () => {
    input.disabled = true;
    try {
      await set(input.checked);
    } catch (error) {
      input.checked = !input.checked;
      oops(error);
    } finally {
      input.disabled = false;
    }
  });
  return h("label.switch.bare", input);
}

/** An id made of a name. */
export function slug(name) {
  const made = String(name || "").normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return made || "unnamed";
}

/** A field to search a list with; `act(text)` gets it in lower case. */
export function finder(label, act, value = "") {
  return h("input.finder", { type: "search", placeholder: label, "aria-label": label, value, spellcheck: "false", oninput: (event) => act(event.target.value.trim().toLowerCase()) });
}

/** Words for who may not change anything. */
export const readers = () => (mayChange() ? null : h("p.hintbar", "You may look at this and change nothing: your role is read-only."));

const place = (kind, id) => `${CONTROL}/${kind}/${encodeURIComponent(id)}`;

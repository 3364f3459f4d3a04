// Users, their roles, and their access keys, whose secret is shown once.

import { dialog } from "../dialog.js";
import { fill, h } from "../dom.js";
import { labelled } from "../form.js";
import { OURS, call, post } from "../http.js";
import { icon } from "../icons.js";
import { setQuery } from "../router.js";
import { mayChange, session } from "../session.js";
import { empty, heading, tabs } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { absolute, light, plural, when } from "../words.js";
import { create, flick, objects, readers, remove, write } from "./objects.js";

const ROLES = { admin: "everything", "read-only": "ask, and change nothing", "ingest-only": "send records in, and nothing else" };

export async function show({ root, query, signal }) {
  const may = mayChange();
  let users = [];
  let keys = [];
  let chosen = query.get("tab") || "users";
  const load = async () => { [users, keys] = await Promise.all([objects("user", signal), objects("access-key", signal)]); };
  const again = async () => { await load(); made.choose(chosen, false); };
  const userName = (id) => users.find((each) => each.id === id)?.name || id;

  async function editUser(each) {
    const id = h("input", { type: "text", value: each?.id || "", disabled: Boolean(each), placeholder: "ann@example.com" });
    const name = h("input", { type: "text", value: each?.name || "", placeholder: "Ann" });
    const role = h("select", Object.entries(ROLES).map(([one, words]) => h("option", { value: one, selected: one === (each?.object.role || "read-only") }, `${one}: ${words}`)));
    const done = await dialog({ title: each ? each.name : "New user", body: [labelled("Id", id, { required: true, hint: "A mail address or a short name. It never changes." }), labelled("Name", name, { required: true }), labelled("Role", role)], actions: [{ label: "Save", kind: "main", act: async () => {
      const fields = { name: name.value.trim() || id.value.trim(), role: role.value };
      if (!each && !id.value.trim()) throw new Error("Id: give a mail address or a short name.");
      if (each) await write("user", each.id, fields, each.version, { merge: true }); else await create("user", fields, id.value.trim());
    } }] }).done;
    if (done) { toast(each ? "The user is saved" : "The user is there: make an access key to let them in"); await again(); }
  }

  async function makeKey(user = "") {
    const who = h("select", users.map((each) => h("option", { value: each.id, selected: each.id === (user || session()?.user) }, `${each.name} (${each.object.role})`)));
    const name = h("input", { type: "text", placeholder: "The nightly report" });
    const days = h("select", [["30", "in 30 days"], ["90", "in 90 days"], ["365", "in a year"], ["", "never"]].map(([value, word]) => h("option", { value, selected: value === "90" }, word)));
    let told = null;
    const done = await dialog({ title: "New access key", body: [labelled("User", who), labelled("Name", name, { required: true, hint: "What it is for." }), labelled("It ends", days)], actions: [{ label: "Make it", kind: "main", act: async () => {
      if (!name.value.trim()) throw new Error("Name: say what it is for.");
      told = await post(`${OURS}/control/access-keys`, { user: who.value, name: name.value.trim(), expires: days.value ? new Date(Date.now() + Number(days.value) * 86_400_000).toISOString() : null });
    } }] }).done;
    if (!done || !told) return;
    await again();
    const copied = (word, value) => h("div.secret", h("span.muted", word), h("code", value), h("button.plain", { type: "button", "aria-label": `Copy ${word.toLowerCase()}`, onclick: () => navigator.clipboard?.writeText(value).then(() => toast(`${word} is in the clipboard`), oops) }, icon("copy")));
    await dialog({ title: "The secret is shown once", wide: false, body: [h("p.hintbar.warned", "Copy it now: Tidegate keeps only a hash of it. Who loses it makes a new key."), copied("Access key", told.id), copied("Secret", told.secret)] }).done;
  }

  function ends(each) {
    if (each.object.enabled === false) return light("off", "disabled");
    const at = each.object.expires ? new Date(each.object.expires).getTime() : 0;
    if (!at) return light("warn", "never ends");
    const left = at - Date.now();
    return left < 0 ? light("bad", "has ended") : left < 14 * 86_400_000 ? light("warn", `ends ${absolute(at)}`) : light("ok", `until ${absolute(at).split(",")[0]}`);
  }

  const made = tabs([
    { id: "users", title: "Users", show(body) {
      const add = may ? h("button.main", { type: "button", onclick: () => editUser(null).catch(oops) }, icon("plus"), "Add user") : null;
      fill(body, users.length ? list({
        name: "users", label: "Users", signal, rows: users, tools: [add],
        columns: [
          { id: "name", title: "Name", cell: (each) => [h("strong", each.name), each.id === session()?.user ? [" ", h("span.tag", "you")] : null, h("span.sub", each.id)], text: (each) => each.name },
          { id: "role", title: "Role", cell: (each) => [h("span.tag", each.object.role), h("span.sub", ROLES[each.object.role])], text: (each) => each.object.role },
          { id: "keys", title: "Access keys", cell: (each) => { const n = keys.filter((one) => one.object.user === each.id).length; return n ? plural(n, "key") : h("span.muted", "none: can't sign in"); }, text: (each) => keys.filter((one) => one.object.user === each.id).length },
          { id: "changed", title: "Changed", cell: (each) => [when(each.changed_at), h("span.sub", each.changed_by)], text: (each) => each.changed_by },
          { id: "enabled", title: "Enabled", cell: (each) => flick(`${each.name} enabled`, each.object.enabled !== false, async (on) => { await write("user", each.id, { enabled: on }, each.version, { merge: true }); toast(`${each.name} is ${on ? "enabled" : "disabled: their keys open nothing"}`); await again(); }), text: (each) => String(each.object.enabled !== false) },
          ...(may ? [{ id: "edit", title: "Edit", cell: (each) => h("span.row.tight-row", h("button.plain", { type: "button", "aria-label": `Edit ${each.name}`, onclick: () => editUser(each).catch(oops) }, icon("edit")), h("button.plain", { type: "button", "aria-label": `Make an access key for ${each.name}`, onclick: () => makeKey(each.id).catch(oops) }, icon("keys")), h("button.plain", { type: "button", "aria-label": `Delete ${each.name}`, onclick: () => removeUser(each).catch(oops) }, icon("trash"))), text: () => "" }] : []),
        ],
      }).element : empty("No user yet", "The data folder's token signs in as admin. Add a user for everybody else.", add));
    } },
    { id: "keys", title: "Access keys", show(body) {
      const add = may && users.length ? h("button.main", { type: "button", onclick: () => makeKey().catch(oops) }, icon("plus"), "Make a key") : null;
      fill(body, keys.length ? list({
        name: "access-keys", label: "Access keys", signal, rows: keys, tools: [add],
        columns: [
          { id: "name", title: "Name", cell: (each) => [h("strong", each.name), h("span.sub.mono", each.id)], text: (each) => each.name },
          { id: "user", title: "User", cell: (each) => [userName(each.object.user), h("span.sub", each.object.user)], text: (each) => each.object.user },
          { id: "ends", title: "Until", cell: ends, text: (each) => each.object.expires || "" },
          { id: "made", title: "Made", cell: (each) => [when(each.changed_at), h("span.sub", each.changed_by)], text: (each) => absolute(each.changed_at) },
          { id: "enabled", title: "Enabled", cell: (each) => flick(`${each.name} enabled`, each.object.enabled !== false, async (on) => { await write("access-key", each.id, { enabled: on }, each.version, { merge: true }); toast(`The key is ${on ? "enabled" : "disabled: it opens nothing from now on"}`); await again(); }), text: (each) => String(each.object.enabled !== false) },
          ...(may ? [{ id: "delete", title: "Delete", cell: (each) => h("button.plain", { type: "button", "aria-label": `Delete ${each.name}`, onclick: () => remove("access-key", each.id, each.name, "Whatever signs in with it is refused from now on.").then((done) => done && again(), oops) }, icon("trash")), text: () => "" }] : []),
        ],
      }).element : empty("No access key yet", "People and programs sign in with one.", add));
    } },
  ], { chosen, label: "Users", onchoose: (id) => { chosen = id; setQuery({ tab: id }); } });

  async function removeUser(each) {
    const own = keys.filter((one) => one.object.user === each.id);
    const done = await remove("user", each.id, each.name, own.length ? `${plural(own.length, "access key")} of theirs ${own.length === 1 ? "is" : "are"} deleted with them. What they did stays in the audit log.` : "What they did stays in the audit log.", async () => {
      for (const one of own) await call("DELETE", `${OURS}/control/access-key/${encodeURIComponent(one.id)}`);
    });
    if (done) await again();
  }

  await load();
  fill(root, heading("Users and keys", { about: "Who may use Tidegate. A key belongs to a user and may what that user's role may." }), readers(), made.element);
  made.choose(chosen, false);
}

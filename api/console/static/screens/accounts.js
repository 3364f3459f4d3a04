// Cloud accounts, their groups, and resource lists: what alert rules choose by.

import { dialog } from "../dialog.js";
import { fill, h } from "../dom.js";
import { labelled } from "../form.js";
import { get, OURS } from "../http.js";
import { icon } from "../icons.js";
import { href, setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { empty, heading, tabs } from "../states.js";
import { list } from "../table.js";
import { oops, toast } from "../toast.js";
import { cloud, number, plural, when } from "../words.js";
import { create, finder, flick, objects, readers, remove, write } from "./objects.js";
import { picker } from "./picker.js";

export async function show({ root, query, signal }) {
  let accounts = [];
  let groups = [];
  let lists = [];
  let ranks = {};
  let text = "";
  const may = mayChange();
  const load = async () => { [accounts, groups, lists] = await Promise.all(["cloud-account", "account-group", "resource-list"].map((kind) => objects(kind, signal))); };
  const again = async () => { await load(); made.choose(chosen, false); };
  let chosen = query.get("tab") || "accounts";
  const named = (id) => groups.find((each) => each.id === id)?.name || id;

  async function editAccount(each) {
    const name = h("input", { type: "text", value: each.name });
    const inGroups = picker({ label: "Groups", options: groups.map((one) => ({ id: one.id, name: one.name })), value: each.object.groups || [], none: "None" });
    const owners = h("input", { type: "text", value: (each.object.owners || []).join(", "), placeholder: "shop@example.com" });
    await ask(`Account ${each.id}`, [labelled("Name", name, { required: true }), inGroups.element, labelled("Owners", owners, { hint: "Who is asked about it, by commas." })], async () => {
      await write("cloud-account", each.id, { name: name.value.trim() || each.id, groups: inGroups.value(), owners: split(owners.value) }, each.version, { merge: true });
    });
  }

  async function editGroup(each) {
    const name = h("input", { type: "text", value: each?.name || "", placeholder: "Production" });
    const about = h("input", { type: "text", value: each?.object.description || "", placeholder: "What customers use." });
    const before = accounts.filter((one) => each && one.object.groups?.includes(each.id)).map((one) => one.id);
    const members = picker({ label: "Accounts", options: accounts.map((one) => ({ id: one.id, name: one.name, about: one.name === one.id ? cloud(one.object.cloud) : one.id })), value: before, none: "None" });
    await ask(each ? each.name : "New account group", [labelled("Name", name, { required: true }), labelled("Description", about), members.element], async () => {
      const fields = { name: name.value.trim(), description: about.value.trim() };
      const done = each ? await write("account-group", each.id, { ...each.object, ...fields }, each.version) : await create("account-group", fields);
      const now = new Set(members.value());
      for (const one of accounts) {
        const had = before.includes(one.id);
        if (had !== now.has(one.id)) await write("cloud-account", one.id, { groups: had ? one.object.groups.filter((id) => id !== done.id) : [...(one.object.groups || []), done.id] }, one.version, { merge: true });
      }
    });
  }

  async function editList(each) {
    const name = h("input", { type: "text", value: each?.name || "", placeholder: "Web shop" });
    const about = h("input", { type: "text", value: each?.object.description || "" });
    const tags = h("textarea", { rows: 4, spellcheck: "false", placeholder: "team=shop, payments\nexposed", value: (each?.object.tags || []).map((one) => (one.values?.length ? `${one.key}=${one.values.join(", ")}` : one.key)).join("\n") });
    await ask(each ? each.name : "New resource list", [labelled("Name", name, { required: true }), labelled("Description", about), labelled("Tags", tags, { required: true, hint: "One a line: a key, or key=value, value. A resource with one of them is in the list." })], async () => {
      const fields = { name: name.value.trim(), description: about.value.trim(), tags: tags.value.split("\n").filter((line) => line.trim()).map((line) => { const [key, ...rest] = line.split("="); return { key: key.trim(), values: split(rest.join("=")) }; }) };
      if (each) await write("resource-list", each.id, { ...each.object, ...fields }, each.version); else await create("resource-list", fields);
    });
  }

  async function ask(title, body, act) {
    if (await dialog({ title, body, actions: [{ label: "Save", kind: "main", act }] }).done) { toast("It is saved"); await again(); }
  }

  const edit = (act, word) => h("button.plain", { type: "button", "aria-label": `Edit ${word}`, onclick: () => act().catch(oops) }, icon("edit"));
  const trash = (kind, each, words) => h("button.plain", { type: "button", "aria-label": `Delete ${each.name}`, onclick: () => remove(kind, each.id, each.name, words).then((done) => done && again(), oops) }, icon("trash"));
  const add = (word, act) => (may ? h("button.main", { type: "button", onclick: () => act().catch(oops) }, icon("plus"), word) : null);

  const made = tabs([
    { id: "accounts", title: "Accounts", show(body) {
      const place = h("div");
      const draw = () => fill(place, accounts.length ? list({
        name: "accounts", label: "Accounts", signal, rows: accounts.filter((each) => !text || `${each.name} ${each.id} ${each.object.cloud} ${(each.object.owners || []).join(" ")}`.toLowerCase().includes(text)),
        columns: [
          { id: "name", title: "Name", cell: (each) => [h("strong", each.name), each.name === each.id ? null : h("span.sub", each.id)], text: (each) => each.name },
          { id: "cloud", title: "Cloud", text: (each) => cloud(each.object.cloud) },
          { id: "groups", title: "Groups", cell: (each) => (each.object.groups || []).map((id) => h("span.tag", named(id))), text: (each) => (each.object.groups || []).join(", ") },
          { id: "owners", title: "Owners", cell: (each) => (each.object.owners || []).join(", ") || h("span.muted", "–"), text: (each) => (each.object.owners || []).join(", ") },
          { id: "alerts", title: "Open alerts", right: true, cell: (each) => (ranks[each.id] ? h("a", { href: href("/alerts", { "alert.status": "open", "cloud.accountId": each.id }) }, number(ranks[each.id])) : h("span.muted", "–")), text: (each) => ranks[each.id] || 0 },
          { id: "seen", title: "Seen first", cell: (each) => (each.origin === "data" ? when(each.changed_at) : [when(each.changed_at), h("span.sub", each.changed_by)]), text: (each) => each.changed_by },
          { id: "enabled", title: "Alerts", cell: (each) => flick(`Alerts in ${each.name}`, each.object.enabled !== false, async (on) => { await write("cloud-account", each.id, { enabled: on }, each.version, { merge: true }); toast(`${each.name}: ${on ? "alerts are raised again" : "no alerts are raised, open ones resolve"}`); await again(); }), text: (each) => String(each.object.enabled !== false) },
          ...(may ? [{ id: "edit", title: "Edit", cell: (each) => edit(() => editAccount(each), each.name), text: () => "" }] : []),
        ],
        nothing: empty("No account matches"),
      }).element : empty("No account yet", "An account is here once the first configuration or finding of it comes in."));
      fill(body, accounts.length ? h("div.filters.inset", finder("Search accounts", (value) => { text = value; draw(); }, text)) : null, place);
      draw();
    } },
    { id: "groups", title: "Account groups", show(body) {
      fill(body, groups.length ? list({
        name: "account-groups", label: "Account groups", signal, rows: groups, tools: [add("Add group", () => editGroup(null))],
        columns: [
          { id: "name", title: "Name", cell: (each) => [h("strong", each.name), h("span.sub", each.object.description)], text: (each) => each.name },
          { id: "accounts", title: "Accounts", cell: (each) => { const found = accounts.filter((one) => one.object.groups?.includes(each.id)); return found.length ? [plural(found.length, "account"), h("span.sub", found.slice(0, 4).map((one) => one.name).join(", "), found.length > 4 ? "…" : "")] : h("span.muted", "none"); }, text: (each) => accounts.filter((one) => one.object.groups?.includes(each.id)).map((one) => one.id).join(", ") },
          { id: "changed", title: "Changed", cell: (each) => (each.version ? [when(each.changed_at), h("span.sub", each.changed_by)] : h("span.muted", "with Tidegate")), text: (each) => each.changed_by },
          ...(may ? [{ id: "edit", title: "Edit", cell: (each) => [edit(() => editGroup(each), each.name), each.version && each.id !== "default" ? trash("account-group", each, "Its accounts stay. An alert rule that names it keeps it from going.") : null], text: () => "" }] : []),
        ],
      }).element : empty("No account group yet", "Alert rules choose by group.", add("Add group", () => editGroup(null))));
    } },
    { id: "lists", title: "Resource lists", show(body) {
      fill(body, lists.length ? list({
        name: "resource-lists", label: "Resource lists", signal, rows: lists, tools: [add("Add list", () => editList(null))],
        columns: [
          { id: "name", title: "Name", cell: (each) => [h("strong", each.name), h("span.sub", each.object.description)], text: (each) => each.name },
          { id: "tags", title: "Tags, of which one is enough", wide: true, cell: (each) => (each.object.tags || []).map((one) => h("span.tag", one.values?.length ? `${one.key}=${one.values.join("|")}` : one.key)), text: (each) => JSON.stringify(each.object.tags) },
          { id: "changed", title: "Changed", cell: (each) => [when(each.changed_at), h("span.sub", each.changed_by)], text: (each) => each.changed_by },
          ...(may ? [{ id: "edit", title: "Edit", cell: (each) => [edit(() => editList(each), each.name), trash("resource-list", each, "An alert rule that names it keeps it from going.")], text: () => "" }] : []),
        ],
      }).element : empty("No resource list yet", "A list says by tags which resources belong together, such as those of a team. Alert rules choose by it.", add("Add list", () => editList(null))));
    } },
  ], { chosen, label: "Accounts", onchoose: (id) => { chosen = id; setQuery({ tab: id }); } });
  await load();
  fill(root, heading("Accounts", { about: "Accounts come by themselves with their first record. Groups and lists are what alert rules choose by." }), readers(), made.element);
  made.choose(chosen, false);
  get(`${OURS}/overview`, { days: 1 }, { signal }).then(({ accounts: ranked }) => { ranks = Object.fromEntries(ranked.map((each) => [each.id, each.count])); if (chosen === "accounts") made.choose(chosen, false); }).catch(() => {});
}

const split = (value) => value.split(",").map((each) => each.trim()).filter(Boolean);

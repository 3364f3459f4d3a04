// Signing in: with an access key and its secret, or with this machine's token.

import { fill, h } from "./dom.js";
import { signIn } from "./session.js";

/** Show the form in place of everything; `entered` is called once somebody is in. */
export function door(entered, words = "") {
  document.title = "Sign in · Tidegate";
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const button = h("button.main", { type: "submit" }, "Sign in");
  const key = field("Access key", "key", "text", "username");
  const secret = field("Secret", "secret", "password", "current-password");
  const token = field("Local token", "token", "password", "off");
  token.element.append(h("p.hint", "What the file ", h("code", "token"), " in the data folder holds, on the machine that Tidegate runs on."));
  let local = false;
  const fields = h("div.fields");
  const change = h("button.plain.linkish", { type: "button", onclick: () => { local = !local; draw(); } });
  const draw = () => {
    fill(fields, local ? token.element : [key.element, secret.element]);
    fill(change, local ? "Use an access key" : "Use this machine's token");
    fields.querySelector("input").focus();
  };
  const form = h("form.door-form", {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      const given = local ? { token: token.input.value.trim() } : { key: key.input.value.trim(), secret: secret.input.value };
      const missing = local ? !given.token && "The token is missing." : (!given.key && "The access key is missing.") || (!given.secret && "The secret is missing.");
      if (missing) return say(missing);
      button.disabled = true;
      try {
        await signIn(given);
        entered();
      } catch (error) {
        say(error.message.charAt(0).toUpperCase() + error.message.slice(1));
      } finally {
        button.disabled = false;
      }
    },
  }, h("span.mark.large", { "aria-hidden": "true" }), h("h1", "Tidegate"), words ? h("p", words) : null, fields, wrong, button, change,
  h("details", h("summary", "No access key yet?"),
    h("p", "On the machine that Tidegate runs on, ", h("code", "tidegate console"), " opens this page signed in. For others, make keys:"),
    h("pre", "tidegate apply -f user.yaml\ntidegate access-keys add YOU"),
    h("p.hint", "user.yaml: kind: user, id: you@example.com, name: You, role: admin")));
  const say = (text) => { fill(wrong, text); wrong.hidden = false; };
  fill(document.body, h("main.door", form));
  draw();
}

function field(label, name, type, autocomplete) {
  const input = h("input", { type, name, id: `door-${name}`, autocomplete, spellcheck: "false", autocapitalize: "none" });
  return { input, element: h("div.field", h("label", { for: `door-${name}` }, label), input) };
}

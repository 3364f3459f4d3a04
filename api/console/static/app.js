// The console's beginning: who is signed in, then the frame, then the screen that the address names.

import { fill, h } from "./dom.js";
import { connect, disconnect } from "./events.js";
import { frame, theme } from "./layout.js";
import { keep, kept } from "./kept.js";
import { listen } from "./keys.js";
import { start } from "./router.js";
import { readSession, session, signIn, signOut, stay } from "./session.js";
import { door } from "./signin.js";
import { trouble } from "./states.js";
import { oops, toast } from "./toast.js";

theme();
listen();
let around = null;
let started = false;
let drawn = false;

async function begin() {
  try {
    const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
    if (ticket) {
      history.replaceState(null, "", location.pathname + location.search);
      await signIn({ ticket }).catch((error) => toast(error.message, "bad"));
    }
    await readSession();
  } catch (error) {
    fill(document.body, h("main.alone", trouble(error)));
    setTimeout(begin, 3000);
    return;
  }
  if (session()) enter();
  else door(enter);
}

function enter() {
  connect();
  around = frame(() => signOut().then(() => { disconnect(); location.assign("/console/"); }, oops));
  if (!started) { stay(); start(draw); } else window.dispatchEvent(new PopStateEvent("popstate"));
  started = true;
}

async function draw(screen, context) {
  const { main } = around;
  around.mark(screen);
  const root = h("div.screen");
  const title = screen?.title || "Not found";
  document.title = `${title} · Tidegate`;
  if (!screen) {
    fill(main, root);
    fill(root, h("h1", "There is no such page"), h("p", "The navigation shows all that there are."));
    return;
  }
  main.setAttribute("aria-busy", "true");
  try {
    const { show } = await screen.load();
    if (context.signal.aborted) return;
    fill(main, root);
    if (drawn) main.focus({ preventScroll: true });
    drawn = true;
    await show({ ...context, root, name: (text) => { document.title = `${text} · Tidegate`; } });
  } catch (error) {
    if (error.name === "AbortError" || context.signal.aborted) return;
    if (error instanceof TypeError && /module/.test(error.message) && newer()) return;
    fill(main, root);
    fill(root, h("h1", title), trouble(error, () => draw(screen, context)));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

/** Load the page again, once, when a file is gone: Tidegate was brought up to date meanwhile. */
function newer() {
  if (Date.now() - kept("reloaded", 0) < 30_000) return false;
  keep("reloaded", Date.now());
  location.reload();
  return true;
}

window.addEventListener("signed-out", () => {
  if (!session() || document.querySelector(".door")) return;
  disconnect();
  door(enter, "Your session has ended. Sign in to go on where you were.");
});

begin();

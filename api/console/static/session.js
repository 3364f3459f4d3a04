// Who is signed in: read at the start, opened with an access key or the local token, ended on leaving.

import { call, trust } from "./http.js";

const PLACE = "/console/session";

let current = null;

/** The user, `{user, name, role}`, or null. */
export const session = () => current;

/** Whether the user may change something. */
export const mayChange = () => current?.role === "admin";

/** Read the session that the cookie stands for. */
export async function readSession() {
  return keep(await call("GET", PLACE));
}

/** Sign in with {key, secret} or {token}. */
export async function signIn(given) {
  return keep(await call("POST", PLACE, { body: given }));
}

/** Sign out here and at the server. */
export async function signOut() {
  await call("DELETE", PLACE);
  keep({ user: null });
}

/** Keep the cookie fresh while the page is open. */
export function stay() {
  setInterval(() => { if (current && !document.hidden) readSession().catch(() => {}); }, 10 * 60_000);
}

function keep(told) {
  current = told.user ? told : null;
  trust(told.csrf || "");
  return current;
}

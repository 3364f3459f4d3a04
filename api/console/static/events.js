// What happens at the server while the page is open, by server-sent events: "alerts" and "status".

import { OURS } from "./http.js";

const target = new EventTarget();
let source = null;

/** Call `act(data)` for each event of that name until `signal` is aborted. */
export function live(name, act, signal) {
  target.addEventListener(name, (event) => act(event.detail), { signal });
}

export function connect() {
  source?.close();
  source = new EventSource(`${OURS}/events`);
  for (const name of ["alerts", "status"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
  source.onopen = () => tell("connection", true);
  source.onerror = () => tell("connection", false);
}

export function disconnect() {
  source?.close();
  source = null;
}

function tell(name, detail) {
  target.dispatchEvent(new CustomEvent(name, { detail }));
}

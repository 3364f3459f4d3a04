// What happens at the server while the page is open, by server-sent events: "alerts" and "status".

import { OURS } from "./http.js";

const target = new EventTarget();
let source = null;
let again = 0;

/** Call `act(data)` for each event of that name until `signal` is aborted. */
export function live(name, act, signal) {
  target.addEventListener(name, (event) => act(event.detail), { signal });
}

export function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource(`${OURS}/events`);
  for (const name of ["alerts", "status"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
  source.onopen = () => tell("connection", true);
  source.onerror = () => {
    tell("connection", false);
    if (source?.readyState === EventSource.CLOSED) again = setTimeout(connect, 5000); // it was refused, not cut off
  };
}

export function disconnect() {
  clearTimeout(again);
  source?.close();
  source = null;
}

function tell(name, detail) {
  target.dispatchEvent(new CustomEvent(name, { detail }));
}

// Calls of the REST API: any client could make them. What fails is an ApiError, whose message is a sentence.

export const OURS = "/api/tidegate/v1";

let word = "";

/** What the session's requests bring against forgery; session.js sets it. */
export function trust(csrf) {
  word = csrf;
}

export class ApiError extends Error {
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.code = more.code || "";
    this.span = more.span || null;
    this.drawing = more.drawing || "";
  }
}

export const get = (path, query, options) => call("GET", path, { query, ...options });
export const post = (path, body, options) => call("POST", path, { body, ...options });
export const put = (path, body, options) => call("PUT", path, { body, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body, ...options });
export const del = (path, options) => call("DELETE", path, options);

/** Make a call; `query` values may be lists; `headers`, `signal`, and `as`: "json", "text" or "answer". */
export async function call(method, path, { body, query, headers, signal, as = "json" } = {}) {
  const sent = { accept: as === "text" ? "text/csv, application/json" : "application/json", ...headers };
  if (method !== "GET") sent["x-tidegate-csrf"] = word;
  if (body !== undefined) sent["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path + queryText(query), {
      method, signal, headers: sent, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "Tidegate doesn't answer. Is it running? This page goes on by itself once it is.");
  }
  if (answer.ok) {
    if (as === "answer") return answer;
    if (as === "text") return answer.text();
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
  }
  throw await failure(answer, method, path);
}

/** Make `?a=1&b=2&b=3` of {a: 1, b: [2, 3]}; what is empty is left out. */
export function queryText(query) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return text ? `?${text}` : "";
}

/** Let the browser save `text` as a file. */
export function save(name, text, type = "text/csv") {
  const link = document.createElement("a");
  const address = URL.createObjectURL(new Blob([text], { type }));
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function failure(answer, method, path) {
  let message = "";
  let more = {};
  try {
    const { error } = await answer.json();
    message = error.message;
    more = { code: error.code, ...(error.details || [])[0], ...error };
  } catch {
    message = "";
  }
  if (answer.status === 401 && !path.startsWith("/console/session")) {
    window.dispatchEvent(new Event("signed-out"));
    return new ApiError(401, "Your session has ended: sign in again.", more);
  }
  return new ApiError(answer.status, message || `${method} ${path} was answered with status ${answer.status}.`, more);
}

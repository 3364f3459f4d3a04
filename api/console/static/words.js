// How times, numbers and Tidegate's words are shown. One way for each, on every screen.

import { h } from "./dom.js";

export const SEVERITIES = ["critical", "high", "medium", "low", "informational"];
export const STATUSES = ["open", "dismissed", "snoozed", "resolved"];
export const CLOUDS = { aws: "AWS", azure: "Azure", gcp: "Google Cloud", alibaba: "Alibaba Cloud", alibaba_cloud: "Alibaba Cloud", oci: "OCI", ibm: "IBM Cloud" };

const REASONS = {
  NEW_ALERT: "found for the first time", RESOURCE_UPDATED: "the resource was changed", RESOURCE_DELETED: "the resource was deleted",
  POLICY_UPDATED: "the policy was changed", POLICY_DISABLED: "the policy was disabled", POLICY_DELETED: "the policy was deleted",
  ALERT_RULE_UPDATED: "an alert rule was changed", ALERT_RULE_DISABLED: "an alert rule was disabled", ALERT_RULE_DELETED: "an alert rule was deleted",
  ACCOUNT_GROUP_UPDATED: "an account group was changed", ACCOUNT_GROUP_DELETED: "an account group was deleted",
  USER_DISMISSED: "dismissed by a user", USER_REOPENED: "reopened by a user", USER_SNOOZED: "snoozed by a user", SNOOZED_AUTO_REOPEN: "its snooze ended",
};

const count = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const dayTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60]];

export const number = (value) => count.format(value ?? 0);
export const brief = (value) => short.format(value ?? 0);
export const reason = (code) => REASONS[code] || String(code || "").replaceAll("_", " ").toLowerCase();
export const cloud = (name) => CLOUDS[name] || name || "";
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** A moment (ms, ISO text or Date) as Date; null where there is none. */
export function moment(value) {
  if (value === null || value === undefined || value === "" || value === 0) return null;
  const made = new Date(value);
  return Number.isNaN(made.getTime()) ? null : made;
}

/** The moment in words such as "3 h ago". */
export function ago(value, now = Date.now()) {
  const at = moment(value);
  if (!at) return "";
  const seconds = (at.getTime() - now) / 1000;
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return "just now";
}

export const absolute = (value) => (moment(value) ? whole.format(moment(value)) : "");
export const dated = (value) => (moment(value) ? dayTime.format(moment(value)) : "");

/** A <time> that says how long ago, and when exactly on hovering. */
export function when(value) {
  const at = moment(value);
  return at ? h("time", { datetime: at.toISOString(), title: absolute(at) }, ago(at)) : h("span.muted", "–");
}

export const severity = (name) => h("span.severity", { data: { severity: name } }, name);
export const status = (name) => h("span.status", { data: { status: name } }, name);

/** A state as a coloured dot and its word: ok, warn, bad, off. */
export const light = (state, word) => h("span.light", { data: { state } }, word);

/** Bytes as KB, MB, GB. */
export function bytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["KB", 1e3]]) if (n >= size) return `${(n / size).toFixed(1)} ${unit}`;
  return `${number(n)} B`;
}

/** Rows of lists as CSV; no cell starts a formula in a spreadsheet. */
export function csv(header, rows) {
  const cell = (value) => {
    let text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

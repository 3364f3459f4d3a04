// What an empty Tidegate shows: three ways to bring data in, the quickest first.

import { fill, h } from "../dom.js";
import { post } from "../http.js";
import { icon } from "../icons.js";
import { go, href } from "../router.js";
import { mayChange } from "../session.js";
import { toast } from "../toast.js";

const SAMPLE = new URL("../sample/", import.meta.url);
const FIRST = "config from cloud.resource where finding.severity IN ('critical', 'high')";

/** Fill `root`; `changed` is called once records are on their way. */
export function begin(root, changed) {
  const said = h("p.wrong", { role: "alert", hidden: true });
  const button = h("button.main", { type: "button", disabled: !mayChange(), onclick: load }, icon("play"), "Try it with sample data");
  fill(root,
    h("header.welcome", h("span.mark.large", { "aria-hidden": "true" }), h("h1", "Welcome to Tidegate"), h("p.muted", "It is running, and nothing has come in yet. Findings and configurations come in, questions are answered, alerts go out.")),
    h("div.steps",
      step("1", "Look around", "A small made-up company: 12 resources of AWS, their findings, and the alerts that follow. In account 999900001111; on a system that you keep, send your own data instead.", button, said),
      step("2", "Send your own", "JSON lines as your cloud or scanner prints them, from a file, a pipe, or straight to Kafka:", h("pre", "tidegate sources\ntidegate send aws resources.jsonl\ntidegate send guardduty findings.jsonl")),
      step("3", "Let it come by itself", "Write to the topics raw.findings.<source> and raw.configs.<cloud> with any Kafka client, or post to /api/tidegate/v1/ingest/<source>.", h("a.button", { href: "/docs", target: "_blank", rel: "noopener" }, icon("api"), "API reference"))),
    h("p.muted", "Then ask: ", h("a", { href: href("/investigate", { query: FIRST }) }, "which resources have serious findings?")));

  async function load() {
    button.disabled = true;
    said.hidden = true;
    try {
      for (const source of ["aws", "securityhub"]) {
        const text = await (await fetch(new URL(`${source}.json`, SAMPLE))).json();
        for (const one of text) await post(`/api/tidegate/v1/ingest/${source}`, one);
      }
      toast("The sample data is on its way: the first alerts come within seconds.");
      await new Promise((done) => { setTimeout(done, 2500); });
      changed();
      go("/alerts");
    } catch (error) {
      fill(said, error.message);
      said.hidden = false;
      button.disabled = false;
    }
  }
}

const step = (n, title, text, ...more) => h("section.step", h("span.step-number", { "aria-hidden": "true" }, n), h("div", h("h2", title), h("p.muted", text), more));

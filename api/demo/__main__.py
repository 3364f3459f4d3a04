"""`make demo`: the whole way once, on this machine, from a broker that starts to an alert that resolves.

Each step is checked against what the normalisers say of the same files; the exit code is 0 only when every one was seen
to happen.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.cli import output
from api.client import Client
from api.demo import stage
from api.demo.alerting import Receiver, alerting, show_alerts
from api.demo.load import Load, choose
from api.demo.stage import ROOT, Failed
from streams.errors import TidegateError

RQL = (
    "config from cloud.resource where finding.type = 'AWS GuardDuty Host' AND finding.severity IN ('critical', 'high')"
    " AND api.name = 'aws-ec2-describe-instances'"
    " AND json.rule = publicIpAddress exists and metadataOptions.httpTokens = 'optional'"
)
SQL = """select r.account, r.id, r.name, f.severity, f.name as finding
from resources r join finding_resource using (rid) join findings f using (fid)
where f.type = 'AWS GuardDuty Host' and f.severity in ('critical', 'high')
  and r.api_name = 'aws-ec2-describe-instances' and not r.deleted
  and json_exists(r.json, '$.publicIpAddress') and r.json->>'$.metadataOptions.httpTokens' = 'optional'
order by all"""

SHOWN = ("account", "id", "name", "finding.severity", "finding.name")

START_S = 240
ARRIVE_S = 90


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="data folder to use and to keep; default: a new one that is removed")
    parser.add_argument("--keep", action="store_true", help="keep the new data folder")
    given = parser.parse_args()
    data = given.data or Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    began = time.monotonic()
    try:
        with Receiver() as receiver, _up(data.resolve(), receiver) as client:
            _show(client)
            show_alerts(client, receiver)
    except (Failed, TidegateError) as error:
        output.error(f"the demo stopped: {error}")
        if (log := data / "up.log").exists():
            output.note(f"what `tidegate up` said:\n{log.read_text()[-3000:]}")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if given.data is None and not given.keep:
            shutil.rmtree(data, ignore_errors=True)
    where = f"TIDEGATE_DATA={data} " if given.data or given.keep else ""
    output.line(f"\nAll of it was seen to happen, in {time.monotonic() - began:.0f} s.")
    output.line(f"Go on with:  {where}{stage.command()} up")
    return 0


@contextmanager
def _up(data: Path, receiver: Receiver) -> Iterator[Client]:
    """Run `tidegate up` as a child on *data*; stop it at the end."""
    stage.step("Start a broker, a worker and the API", f"{stage.command()} up")
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "up", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=env | alerting(data, receiver) | {"TIDEGATE_DATA": str(data), "TIDEGATE_API_PORT": "0"},
        )
        try:
            steps = threading.Thread(target=_tee, args=(child.stderr, log), daemon=True)
            steps.start()
            ready = _first_line(child)
            stage.done(f"ready in {ready['ready_s']} s: broker {ready['bootstrap_servers']}, API {ready['api']}")
            yield Client(data)
        finally:
            child.terminate()
            try:
                code = child.wait(45)
            except subprocess.TimeoutExpired:
                child.kill()
                code = child.wait()
            steps.join(5)
    if code != 0:
        raise Failed(f"`tidegate up` ended with code {code} instead of 0")


def _show(client: Client) -> None:
    load = choose(client.data)
    stage.step("Send what a cloud and its scanner report")
    with ThreadPoolExecutor() as pool:  # two producers, as in life
        sending = {
            source: pool.submit(stage.tidegate, client, "send", source, *map(str, files), "--json")
            for source, files in load.files.items()
        }
    for source, done in sending.items():
        sent = done.result()
        stage.done(
            f"tidegate send {source}: {len(load.files[source])} files,"
            f" {sent['messages']} messages, {output.size(sent['bytes'])}"
        )
    stage.step("See the rows arrive", "tidegate status")
    rows = _arrive(client, load)
    stage.done(
        f"{rows['resources']} resources, {rows['findings']} findings,"
        f" {rows['finding_resource']} links between them: as many as the files hold"
    )
    stage.step(
        "Ask in RQL: public instances without IMDSv2 on which GuardDuty saw something bad", f'tidegate rql "{RQL}"'
    )
    live = client.post("/rql", {"query": RQL, "limit": 20})
    shown = [live["columns"].index(name) for name in SHOWN]
    output.table(SHOWN, [[row[index] for index in shown] for row in live["rows"]])
    stage.check(live["total"] > 0 and live["whole"] and live["source"] == "live", f"no whole live answer: {live}")
    stage.done(f"{live['total']} resources in {live['took_ms']:.0f} ms, live and whole")
    stage.step("Take a snapshot", "tidegate snapshot create")
    made = client.post("/snapshots")
    stage.check(made["rows"]["resources"] == rows["resources"], f"the snapshot lacks rows: {made}")
    stage.done(f"{made['name']}, {output.size(made['bytes'])}: {made['path']}")
    stage.step("Ask the same in SQL, of the snapshot", "tidegate sql -")
    output.line("   " + SQL.replace("\n", "\n   "))
    asked = client.post("/sql", {"query": SQL, "limit": 20})
    output.table(asked["columns"], asked["rows"])
    found = len({row[1] for row in asked["rows"]})
    stage.check(found == live["total"], f"SQL finds {found} resources where RQL finds {live['total']}")
    stage.done(f"the same {found} resources")
    stage.step("See what could not be used", "tidegate dead-letters list")
    letters = client.get("/dead-letters", limit=1000)["dead_letters"]
    stage.check(len(letters) == load.bad and load.bad > 0, f"{len(letters)} dead letters, expected {load.bad}")
    output.table(
        ["id", "source", "field", "reason", "bytes"],
        [[each["id"], each["source"], each["path"], each["reason"], each["size"]] for each in letters[:5]],
    )
    whole = client.get(f"/dead-letters/{letters[0]['id']}")
    stage.check(bool(whole["item"]) and bool(whole["reason"]), f"a dead letter without its item or reason: {whole}")
    stage.done(f"{len(letters)} dead letters, each with its bytes and its reason; nothing is lost")


def _arrive(client: Client, load: Load) -> dict[str, int]:
    """Show rows until they are as many as they must be."""
    wanted = {kind: len(keys) for kind, keys in load.keys.items()}
    until = time.monotonic() + ARRIVE_S
    shown = ""
    while True:
        found = client.get("/status")
        rows: dict[str, int] = found["rows"]
        text = ", ".join(f"{rows[kind]} of {count} {kind}" for kind, count in wanted.items())
        if text != shown:
            stage.working(text)
            shown = text
        if all(rows[kind] == count for kind, count in wanted.items()) and not found["lag"]:
            stage.check(rows["finding_resource"] > 0, "no finding is linked to its resource")
            return rows
        stage.check(time.monotonic() < until, f"after {ARRIVE_S} s: {text}, {found['lag']} records behind")
        time.sleep(0.1)


def _first_line(child: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what the child prints when it is ready."""
    timer = threading.Timer(START_S, child.kill)
    timer.start()
    try:
        line = child.stdout.readline() if child.stdout else ""
    finally:
        timer.cancel()
    stage.check(bool(line), f"`tidegate up` ended, or was not ready after {START_S} s")
    return dict(json.loads(line))


def _tee(stream: Any, log: Any) -> None:
    for line in stream:
        log.write(line)
        log.flush()
        stage.working(line.strip())


if __name__ == "__main__":
    sys.exit(main())

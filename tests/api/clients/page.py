"""Drives the API's page in a headless Chromium: opens it, logs in there, sends a search; prints what the page shows."""

import asyncio
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp

WORDS = r"""
window.until = async (look) => {
  for (let i = 0; i < 200; i++) {
    const found = look();
    if (found) return found;
    await new Promise(r => setTimeout(r, 100));
  }
  throw new Error("never: " + look);
};
window.block = (path) => [...document.querySelectorAll(".opblock")].find(
  each => each.querySelector(".opblock-summary-path").textContent.replace(/\u200b/g, "") === path);
window.send = async (path, body) => {
  block(path).querySelector(".opblock-summary-control").dispatchEvent(new MouseEvent("click", {bubbles: true}));
  (await until(() => block(path).querySelector(".try-out__btn"))).click();
  const text = await until(() => block(path).querySelector("textarea"));
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(text, JSON.stringify(body));
  text.dispatchEvent(new Event("input", {bubbles: true}));
  await new Promise(r => setTimeout(r, 300));
  (await until(() => block(path).querySelector(".btn.execute"))).click();
  return (await until(() => block(path).querySelector(".live-responses-table tbody"))).textContent;
};
1"""


async def main(address: str, key: str, secret: str) -> None:
    """Show the answers of a login and of a search as the page shows them."""
    # The browser's own children write into its folder for a moment after it ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
        silent = subprocess.DEVNULL
        browser = subprocess.Popen([*command, "--remote-debugging-port=0", "about:blank"], stdout=silent, stderr=silent)
        try:
            told = Path(folder) / "DevToolsActivePort"
            while not told.exists() or not told.read_text():
                await asyncio.sleep(0.1)
            port = told.read_text().split()[0]
            listed = await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/json")
            page = next(each for each in json.load(listed) if each["type"] == "page")
            async with (
                aiohttp.ClientSession() as web,
                web.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as tab,
            ):
                await _ask(tab, "Page.navigate", url=f"{address}/docs")
                while not await _value(tab, "document.querySelectorAll('.opblock').length"):
                    await asyncio.sleep(0.2)
                await _value(tab, WORDS)
                login = {"username": key, "password": secret}
                query = {"query": "config from cloud.resource where cloud.type = 'aws'", "limit": 2}
                shown = [
                    await _value(tab, f"send('/login', {json.dumps(login)})"),
                    await _value(tab, f"send('/search/config', {json.dumps(query)})"),
                ]
            sys.stdout.write(json.dumps(shown))
        finally:
            browser.terminate()
            browser.wait()


async def _value(tab: Any, expression: str) -> Any:
    said = await _ask(tab, "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
    assert "exceptionDetails" not in said, said
    return said["result"].get("value")


async def _ask(tab: Any, method: str, **parameters: Any) -> Any:
    await tab.send_json({"id": 1, "method": method, "params": parameters})
    while True:
        said = json.loads((await tab.receive()).data)
        if said.get("id") == 1:
            return said["result"]


asyncio.run(main(*sys.argv[1:]))

"""The API on a store in this process, on a port of its own, and one client with a connection that stays."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import orjson
import uvicorn

from api.app import create_app
from api.patience import Impatient
from api.state import Alone
from streams.settings import Settings
from streams.store import Store

TOKEN = "b" * 43

Ask = Callable[[str, Any], Any]
"""Posts a body to a path, and returns the answer. Raises ValueError for an error."""


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[tuple[Any, Ask]]:
    """Serve the store of *settings*, opened as a worker opens it; give a cursor on it, and a client."""
    store = Store.open(settings.store_file, memory=settings.store_memory, threads=settings.store_threads)
    try:
        with served(create_app(Alone(settings, store), TOKEN, policies={})) as port:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)

            def ask(path: str, body: Any) -> Any:
                headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
                connection.request("POST", path, orjson.dumps(body), headers)
                said = connection.getresponse()
                document = orjson.loads(said.read())
                if said.status != 200:
                    raise ValueError(f"{path}: {said.status} {document}")
                return document

            cursor = store.cursor()
            yield cursor, ask
            cursor.close()
            connection.close()
    finally:
        store.close()


@contextlib.contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve *app* in a thread; give its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    server = uvicorn.Server(uvicorn.Config(app, http=Impatient, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()

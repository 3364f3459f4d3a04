"""What tests of the product's API share: a control plane, a filled store, users of every role, and their clients."""

import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn

from agents.control import kinds
from api.app import create_app
from api.patience import Impatient
from api.state import Alone
from queries.policy import load_all
from streams.control import Control, Edit, Keys
from streams.control.access import add_access_key
from streams.embedded import Broker
from streams.settings import Settings
from streams.store import Store

TOKEN = "t" * 43
ROLES = ("admin", "read-only", "ingest-only")
Api = httpx.AsyncClient


@dataclass
class Tenant:
    """A running API. *keys*: id and secret of an access key, by role."""

    settings: Settings
    store: Store
    control: Control
    app: Any
    keys: dict[str, tuple[str, str]]

    def again(self) -> "Tenant":
        """Return the same with an API of its own, which remembers nothing."""
        return replace(self, app=_app(self.settings, self.store, self.control))

    def client(self, token: str = "") -> Api:
        """Return a client that sends *token*."""
        headers = {"x-redlock-auth": token} if token else {}
        return Api(transport=httpx.ASGITransport(self.app), base_url="http://tidegate", headers=headers)

    async def login(self, role: str = "admin") -> str:
        """Return a token of *role*."""
        async with self.client() as client:
            username, password = self.keys[role]
            said = await client.post("/login", json={"username": username, "password": password})
            assert said.status_code == 200, said.text
            return str(said.json()["token"])


@asynccontextmanager
async def tenant(folder: Path, broker: Broker, filled: Path, **more: Any) -> AsyncIterator[Tenant]:
    """Start a control plane on *broker*, and the API over it and a copy of the store *filled*, in *folder*; *more*: for
    the settings.
    """
    settings = Settings(
        data=folder / "data",
        kafka_bootstrap_servers=broker.bootstrap_servers,
        topic_prefix=f"t{uuid4().hex[:12]}.",
        partitions=4,
        raw_partitions=4,
        api_port=0,
        **more,
    )
    settings.store_file.parent.mkdir(parents=True)
    shutil.copyfile(filled, settings.store_file)
    store = Store.open(settings.store_file, memory="256MB", threads=1)
    keys = Keys.load("", None, settings.data / "secrets.key", create=True)
    control = Control(settings, kinds(load_all()), keys)
    await control.start()
    try:
        users = [Edit("user", f"{role}@example.com", {"name": role, "role": role}) for role in ROLES]
        await control.change(users, by="test")
        made = {role: await add_access_key(control, f"{role}@example.com", role, None, by="test") for role in ROLES}
        yield Tenant(settings, store, control, _app(settings, store, control), made)
    finally:
        await control.stop()
        store.close()


@contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve *app* in a thread, as a service does; give its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        config = uvicorn.Config(app, http=Impatient, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def _app(settings: Settings, store: Store, control: Control) -> Any:
    return create_app(Alone(settings, store), TOKEN, control=control)

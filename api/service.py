"""One long-running Tidegate on one data folder: broker, worker or query node, and the API, in one process and loop."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from api import certificates, token
from api.log import logged
from api.running import Claim, Kind, Running
from streams.errors import SettingsError
from streams.settings import Settings

Tell = Callable[[str], None]
Ready = Callable[[Running, float], None]
"""Gets what runs, and the seconds it took."""


class Service:
    """Runs until SIGINT or SIGTERM, or until the worker dies. *tell* gets a sentence a step."""

    def __init__(self, settings: Settings, kind: Kind, tell: Tell) -> None:
        if kind != "up" and not settings.kafka_bootstrap_servers:
            raise SettingsError(
                f"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS is not set: `tidegate {kind}` joins your cluster;"
                " `tidegate up` brings its own broker"
            )
        self._settings = settings
        self._kind = kind
        self._tell = tell

    async def run(self, ready: Ready) -> bool:
        """Start, call *ready* once everything answers, stay, stop in order; False when stopped before it was ready.

        Raises TidegateError when it can't start, and what the worker died of.
        """
        stop = asyncio.Event()
        began = time.monotonic()
        with Claim(self._settings.data) as claim, logged(self._settings.data), _signals(stop.set):
            async with contextlib.AsyncExitStack() as stack:
                stopped = asyncio.create_task(stop.wait())
                stack.callback(stopped.cancel)
                starting = asyncio.create_task(self._start(stack, claim))
                await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
                if not starting.done():
                    self._tell("stopping before it was ready")
                    starting.cancel()
                    await asyncio.gather(starting, return_exceptions=True)
                    return False
                running, tasks = starting.result()
                ready(running, time.monotonic() - began)
                await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
                self._tell("stopping")
        return True

    async def _start(
        self, stack: contextlib.AsyncExitStack, claim: Claim
    ) -> tuple[Running, list["asyncio.Task[None]"]]:
        """Start everything, and leave on *stack* how to stop it; return what runs, and tasks that end when it dies."""
        secret = token.ensure(self._settings.data)
        listener = _listen(self._settings, "api_port", self._settings.api_port)
        stack.callback(listener.close)
        secure = None
        if self._settings.api_https_port is not None:
            secure = _listen(self._settings, "api_https_port", self._settings.api_https_port)
            stack.callback(secure.close)
        imports = asyncio.create_task(
            asyncio.to_thread(_Imported, self._settings)
        )  # a second of work, while the broker starts
        try:
            settings = await self._broker(stack)
        finally:
            imported = await imports
        self._tell(f"starting the {'query node' if self._kind == 'node' else 'worker'}")
        control = await imported.control(self._kind, settings, stack)
        owner = imported.make(self._kind, settings, control)
        try:
            await owner.start()
        except BaseException:
            await owner.stop()
            raise
        stack.push_async_callback(owner.stop)
        pulls = await imported.pulls(settings, stack)
        running = Running(
            kind=self._kind,
            pid=os.getpid(),
            api=f"http://{_shown(settings.api_host)}:{listener.getsockname()[1]}",
            bootstrap_servers=settings.kafka_bootstrap_servers,
            topic_prefix=settings.topic_prefix,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            https=f"https://{_shown(settings.api_host)}:{secure.getsockname()[1]}" if secure else "",
        )
        app = imported.create_app(owner, secret, kind=self._kind, started=running.started, control=control)
        owner.pulls, owner.arrangement = pulls, imported.arrangement(control)
        serving = [await _serve(stack, app, listener)]
        if secure:
            pair = await asyncio.to_thread(certificates.pair, settings)
            files = {"ssl_certfile": str(pair.certificate), "ssl_keyfile": str(pair.key)}
            serving.append(await _serve(stack, app, secure, lifespan="off", **files))
        died = [asyncio.create_task(each.wait()) for each in (owner, control, pulls)]
        for task in died:
            stack.callback(task.cancel)
        if self._kind != "node":
            pulling = asyncio.create_task(imported.puller(settings, pulls, control, owner).run())
            stack.push_async_callback(_ended, pulling)
            died.append(pulling)
            registering = asyncio.create_task(imported.register_accounts(control, owner.store.cursor))
            stack.callback(registering.cancel)
        if self._kind != "worker":  # which may own some partitions only
            scheduled = asyncio.create_task(imported.take_snapshots(owner))
            stack.callback(scheduled.cancel)
        claim.announce(running)
        return running, [*died, *serving]

    async def _broker(self, stack: contextlib.AsyncExitStack) -> Settings:
        if self._settings.kafka_bootstrap_servers:
            self._tell(f"joining {self._settings.kafka_bootstrap_servers}")
            return self._settings
        from streams.embedded import Broker

        broker = Broker(self._settings.data / "broker", self._settings.cache, progress=self._tell)
        stack.push_async_callback(asyncio.to_thread, broker.stop)
        starting = asyncio.create_task(asyncio.to_thread(broker.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:  # a thread can't be cancelled, and a stop must not meet a start
            await asyncio.gather(starting, return_exceptions=True)
            raise
        return self._settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})


class _Imported:
    """What takes a second to import, and the operator's files."""

    def __init__(self, settings: Settings) -> None:
        from agents import alerting, arrangement, control, node, worker
        from agents.control_accounts import register_accounts
        from agents.pull import Puller, Pulls
        from api.app import create_app
        from api.schedule import take_snapshots
        from queries.policy import load_all
        from streams.control import Control, Keys

        self.create_app = create_app
        self.register_accounts = register_accounts
        self.take_snapshots = take_snapshots
        self._arrangement, self._node, self._worker = arrangement.Arrangement, node.Node, worker.Worker
        self._control, self._keys = Control, Keys
        self._pulls, self._puller = Pulls, Puller
        policies = load_all(settings.policies)
        self._file = alerting.load(settings.alerting, policies) if settings.alerting else None
        self._kinds = control.kinds(policies, self._file.integrations if self._file else ())

    async def control(self, kind: Kind, settings: Settings, stack: contextlib.AsyncExitStack) -> Any:
        """Return the control plane, read up to its end; left on *stack* to be stopped."""
        keys = self._keys.load(
            settings.secrets_key.get_secret_value(),
            settings.secrets_key_file,
            settings.data / "secrets.key",
            create=kind == "up",
        )
        control = self._control(settings, self._kinds, keys)
        stack.push_async_callback(control.stop)
        await control.start()
        return control

    async def pulls(self, settings: Settings, stack: contextlib.AsyncExitStack) -> Any:
        """Return how far the connectors are, read up to its end; left on *stack* to be stopped."""
        pulls = self._pulls(settings)
        stack.push_async_callback(pulls.stop)
        await pulls.start()
        return pulls

    def puller(self, settings: Settings, pulls: Any, control: Any, worker: Any) -> Any:
        """Return what pulls, not yet begun: what falls to the partitions that *worker* owns."""
        arrangement = self.arrangement(control)

        def owned() -> set[int]:
            return {part for _, part in worker.ownership()["owned"]}

        return self._puller(settings, pulls, arrangement.inbound, arrangement.is_inbound, owned)

    def arrangement(self, control: Any) -> Any:
        """Return the operator's file and the control plane together."""
        return self._arrangement(control, self._file)

    def make(self, kind: Kind, settings: Settings, control: Any) -> Any:
        """Return the query node or the worker, not yet started."""
        if kind == "node":
            return self._node(settings)
        arrangement = self.arrangement(control)
        worker = self._worker(
            settings,
            book=arrangement.book(),
            integrations=arrangement.integrations,
            templates=arrangement.templates,
        )
        arrangement.follow(worker.reconsider)
        return worker


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _listen(settings: Settings, name: str, port: int) -> socket.socket:
    """Take a port of the API before anything else starts. Raises SettingsError when it's taken."""
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api_host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"TIDEGATE_{name.upper()}: {settings.api_host}:{port} can't be used ({error.strerror});"
            " set another one, or 0 for any that is free"
        ) from error
    return listener


async def _serve(
    stack: contextlib.AsyncExitStack, app: Any, listener: socket.socket, **more: Any
) -> "asyncio.Task[None]":
    """Serve *app*; return once it answers. *more*: for uvicorn."""
    import uvicorn

    from api.patience import Impatient

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are the service's

    config = uvicorn.Config(
        app, http=Impatient, log_config=None, access_log=False, timeout_graceful_shutdown=5, server_header=False, **more
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        for leave in app.state.leaving:
            leave()
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if serving.done():
        serving.result()
    return serving


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104 # where to ask, not to listen

"""Build the Faust app: the only place where one is made."""

from typing import Any

from faust.auth import SASLCredentials, SSLCredentials

from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import DELIVERIES, full_name
from streams.transport import BatchApp, NoTables

GROUP = "tidegate"


def create_app(settings: Settings) -> BatchApp:
    """Return an app without agents, for the cluster that *settings* name; nothing is connected yet."""
    settings.data.mkdir(parents=True, exist_ok=True)  # Faust makes its own folder, but not the one above
    config = client_config(settings)
    servers: list[str] = config["bootstrap_servers"]
    app = BatchApp(
        settings.topic_prefix + GROUP,
        broker=";".join(f"kafka://{server}" for server in servers),
        broker_credentials=_credentials(config),
        store="memory://",
        TableManager=NoTables,
        datadir=str(settings.data / "faust"),
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,  # streams.admin creates and checks every topic
        topic_disable_leader=True,
        agent_supervisor="mode.CrashingSupervisor",  # what isn't a BadRecord stops the process, nothing committed
        broker_max_poll_records=settings.batch,
        consumer_max_fetch_size=1024 * 1024,  # a buffer for each partition; larger ones only cost memory
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_max_poll_interval=600.0,
        stream_buffer_maxsize=64,
        stream_wait_empty=False,  # a batch that isn't done is read again; waiting for it could hang a stop for ever
        stream_publish_on_commit=False,
        web_enabled=False,
    )
    app.prompt = frozenset({full_name(settings, DELIVERIES)})  # a request waits behind each; a table doesn't mind
    return app


def _credentials(config: dict[str, Any]) -> Any:
    protocol = config["security_protocol"]
    if protocol.startswith("SASL"):
        return SASLCredentials(
            username=config["sasl_plain_username"],
            password=config["sasl_plain_password"],
            mechanism=config["sasl_mechanism"],
            ssl_context=config.get("ssl_context"),
        )
    if protocol == "SSL":
        return SSLCredentials(config["ssl_context"])
    return None

"""Every setting, once. Each is an environment variable `TIDEGATE_<NAME>`; docs/settings.md is printed from here."""

import ipaddress
from pathlib import Path
from typing import Literal, TypeAlias

from platformdirs import user_cache_path, user_data_path
from pydantic import DirectoryPath, Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import SettingsError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """What an operator can set. Unset means: a whole Tidegate on this machine, in the user's own folders."""

    model_config = SettingsConfigDict(
        env_prefix="TIDEGATE_",
        env_ignore_empty=True,  # a compose file passes on what isn't set as an empty text
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # it may be the password
    )

    data: Path = Field(
        default=user_data_path("tidegate"), description="Folder of everything that must outlive a restart."
    )
    cache: Path = Field(
        default=user_cache_path("tidegate"), description="Folder of what can be fetched again: the broker's program."
    )

    kafka_bootstrap_servers: str = Field(
        default="",
        description="Your own cluster, host:port, by commas. Empty: `tidegate up` starts a broker of its own.",
        examples=["kafka-1:9092,kafka-2:9092"],
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How to speak to your cluster."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How to log in, where the protocol says SASL."
    )
    kafka_sasl_username: str = Field(default="", description="User name for SASL.")
    kafka_sasl_password: SecretStr = Field(default=SecretStr(""), description="Password for SASL.")
    kafka_tls_ca_file: Path | None = Field(
        default=None, description="CA certificates (PEM) to trust. Empty: the system's."
    )
    kafka_tls_cert_file: Path | None = Field(default=None, description="Client certificate (PEM), for mutual TLS.")
    kafka_tls_key_file: Path | None = Field(default=None, description="Key of the client certificate (PEM).")

    topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
        description="Put before every topic and group name, so that several Tidegates can share a cluster.",
    )
    partitions: int = Field(
        default=16,
        ge=1,
        le=1000,
        description="Partitions of the topics that are divided by account. Fixed once the topics exist.",
    )
    raw_partitions: int = Field(default=8, ge=1, le=1000, description="Partitions of the raw topics.")
    replication: int = Field(default=1, ge=1, le=9, description="Replicas of each topic; 3 on a real cluster.")

    store_memory: str = Field(
        default="256MB", pattern=r"^\d+(MB|GB)$", description="DuckDB's memory limit in the store."
    )
    store_threads: int = Field(default=2, ge=1, le=64, description="DuckDB's threads in the store.")
    batch: int = Field(default=5000, ge=1, le=50_000, description="Most records that one batch holds.")
    deletion_days: int = Field(
        default=7,
        ge=1,
        description="Days for which a deleted resource or finding can be asked for before it is forgotten.",
    )

    snapshot_minutes: int = Field(default=15, ge=0, description="Minutes between snapshots; 0: only on demand.")
    snapshot_keep: int = Field(default=8, ge=1, description="Snapshots to keep, newest first.")

    policies: DirectoryPath | None = Field(
        default=None,
        description="Folder of your own policies, `<id>.yaml`, besides the shipped ones; the same id replaces one.",
    )

    alerting: FilePath | None = Field(
        default=None,
        description="YAML file of your `integrations`, `inbound_integrations` and `alert_rules`, besides those set up.",
    )
    allowed_networks: str = Field(
        default="",
        description="Networks that destinations and vendors may be in although they aren't public, by commas.",
        examples=["10.1.2.0/24,192.168.7.9"],
    )

    operator_integration: str = Field(
        default="",
        description="Id of the integration that is told when another one turns GREEN, YELLOW or RED. Empty: none is.",
        examples=["ops-slack"],
    )

    check_minutes: int = Field(
        default=60,
        ge=0,
        description="Minutes between two checks of each integration whose check only asks; 0: on demand only.",
    )

    secrets_key: SecretStr = Field(
        default=SecretStr(""),
        description="Seals secrets; `tidegate keys new` prints one. By commas: the first seals, all open.",
    )
    secrets_key_file: FilePath | None = Field(
        default=None,
        description="File with the same, a key a line. Neither: `tidegate up` makes one in the data folder.",
    )

    api_host: str = Field(default="127.0.0.1", description="Address of the HTTP API.")
    api_port: int = Field(default=8700, ge=0, le=65535, description="Port of the HTTP API; 0: any free one.")
    api_https_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port of the same by https; 0: any free one; unset: http only."
    )
    api_tls_cert_file: FilePath | None = Field(
        default=None,
        description="Certificate (PEM) for https. Unset: one by an authority in the data folder, tls/ca.pem.",
    )
    api_tls_key_file: FilePath | None = Field(default=None, description="Key of that certificate (PEM).")
    api_origins: str = Field(
        default="",
        description="Web pages of other origins that may ask the API, by commas; `*`: all.",
        examples=["https://console.example.com"],
    )

    api_per_second: float = Field(
        default=500,
        gt=0,
        description="Requests a second that one client of the API may go on making; 4 s of them at once.",
    )
    api_at_once: int = Field(default=256, ge=1, description="Requests of one client that may be under way at a time.")

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for each in filter(None, (part.strip() for part in text.split(","))):
            try:
                ipaddress.ip_network(each)
            except ValueError as wrong:
                raise ValueError(f"{wrong}; wanted an address or a network such as 10.1.2.0/24") from None
        return text

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Settings":
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password.get_secret_value()
        ):
            raise ValueError(
                f"kafka_security_protocol is {self.kafka_security_protocol}:"
                " set TIDEGATE_KAFKA_SASL_USERNAME and TIDEGATE_KAFKA_SASL_PASSWORD"
            )
        return self

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of `allowed_networks`."""
        return tuple(ipaddress.ip_network(each.strip()) for each in self.allowed_networks.split(",") if each.strip())

    @property
    def store_file(self) -> Path:
        """The worker's DuckDB file."""
        return self.data / "store" / "tidegate.duckdb"

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots, one folder each."""
        return self.data / "snapshots"


def load(**given: object) -> Settings:
    """Read the settings from the environment; *given* wins. Raises SettingsError with one line for each wrong one.

    The line names the variable, what is wrong, and the value, unless it's a secret's.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type] # pydantic checks each value
    except ValidationError as error:
        lines = [_line(each) for each in error.errors(include_url=False, include_context=False)]
        raise SettingsError("\n".join(lines)) from None


def _line(error: ErrorDetails) -> str:
    """One of pydantic's findings as a line for the operator."""
    if not error["loc"]:
        return error["msg"].removeprefix("Value error, ")
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    got = "" if field is None or field.annotation is SecretStr else f", got {error['input']!r}"
    return f"TIDEGATE_{name.upper()}: {error['msg']}{got}"

"""How to reach the cluster: the settings as aiokafka's keyword arguments."""

import ssl
from pathlib import Path
from typing import Any

from streams.errors import SettingsError
from streams.settings import Settings


def client_config(settings: Settings, **extra: object) -> dict[str, Any]:
    """Return the keyword arguments that every aiokafka client takes; *extra* is added and wins.

    The password is in the answer, as aiokafka needs it: don't log it. Raises SettingsError that names the setting when
    there is no cluster, or a certificate file can't be used.
    """
    if not settings.kafka_bootstrap_servers:
        raise SettingsError(
            "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS is not set: give your cluster's host:port,"
            " or let `tidegate up` start a broker"
        )
    config: dict[str, Any] = {
        "bootstrap_servers": [
            server.strip() for server in settings.kafka_bootstrap_servers.split(",") if server.strip()
        ],
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        config["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        config["sasl_mechanism"] = settings.kafka_sasl_mechanism
        config["sasl_plain_username"] = settings.kafka_sasl_username
        config["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return config | extra


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that checks the broker's name and certificate, and shows our own when there is one."""
    authorities = settings.kafka_tls_ca_file
    if authorities:
        _readable("TIDEGATE_KAFKA_TLS_CA_FILE", authorities)
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"TIDEGATE_KAFKA_TLS_CA_FILE: {authorities} holds no CA certificate in PEM form ({error})"
        ) from error
    certificate, key = settings.kafka_tls_cert_file, settings.kafka_tls_key_file
    if key and not certificate:
        raise SettingsError(
            "TIDEGATE_KAFKA_TLS_KEY_FILE is set without TIDEGATE_KAFKA_TLS_CERT_FILE: set both, or none"
        )
    if certificate:
        _readable("TIDEGATE_KAFKA_TLS_CERT_FILE", certificate)
        if key:
            _readable("TIDEGATE_KAFKA_TLS_KEY_FILE", key)
        try:
            # Without a password a locked key would make OpenSSL ask at the terminal: a service must not wait for that.
            context.load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            raise SettingsError(
                f"TIDEGATE_KAFKA_TLS_CERT_FILE: {certificate} and the key in {key or certificate}"
                f" can't be used together ({error})."
                " Both have to be PEM, the key without a password"
            ) from error
    return context


def _readable(setting: str, path: Path) -> None:
    """Raise SettingsError when the file can't be read."""
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{setting}: can't read {path}: {error.strerror or error}") from error

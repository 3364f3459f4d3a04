"""A user's own cluster, with TLS and a login: a real broker that lets nobody else in."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from streams.admin import cluster_identity, ensure_topics, watermarks
from streams.embedded import Broker
from streams.embedded_config import HOST, Identity, free_ports, remember
from streams.errors import BrokerError
from streams.kafka import client_config
from streams.metadata import id_text
from streams.settings import Settings, load
from streams.topics import RESOURCES, full_name

pytestmark = pytest.mark.kafka

USER, PASSWORD = "tidegate", "open sesame"
PLAIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Cluster:
    """A broker with four more doors: TLS, TLS that asks for a certificate, login, and login over TLS."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        _self_signed(self.certificate, self.key)
        (folder / "both.pem").write_text(self.key.read_text() + self.certificate.read_text())
        names = ("SSL", "MUTUAL", "SASL_PLAINTEXT", "SASL_SSL")
        port, controller_port, *ports = free_ports(6)
        here = Identity(id_text(uuid4().bytes), port, controller_port)
        self.ports = dict(zip(names, ports, strict=True))
        doors = (
            "".join(f"{name}://{HOST}:{port}," for name, port in self.ports.items()) + f"PLAINTEXT://{HOST}:{here.port}"
        )
        protocols = "".join(f"{name}:{'SSL' if name == 'MUTUAL' else name}," for name in names)
        more = {
            "listeners": f"{doors},CONTROLLER://{HOST}:{here.controller_port}",
            "advertised.listeners": doors,
            "listener.security.protocol.map": f"{protocols}PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "both.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificate),
            "listener.name.mutual.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        }
        for name in ("sasl_plaintext", "sasl_ssl"):
            more[f"listener.name.{name}.plain.sasl.jaas.config"] = PLAIN
            for kind in ("256", "512"):
                more[f"listener.name.{name}.scram-sha-{kind}.sasl.jaas.config"] = SCRAM
        (folder / "broker").mkdir()
        remember(folder / "broker" / "broker.json", here)
        self.broker = Broker(folder / "broker", Settings().cache, more=more)

    def settings(self, door: str, **given: Any) -> Settings:
        """Settings for one of the doors, with the login and the authority that it takes."""
        return load(
            kafka_bootstrap_servers=f"{HOST}:{self.ports[door]}",
            kafka_security_protocol="SSL" if door == "MUTUAL" else door,
            topic_prefix=f"t{uuid4().hex[:8]}.",
            **{"kafka_tls_ca_file": self.certificate, "kafka_sasl_username": USER, "kafka_sasl_password": PASSWORD}
            | given,
        )


def _self_signed(certificate: Path, key: Path) -> None:
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tidegate"),
            *("-addext", f"subjectAltName=IP:{HOST}", "-keyout", key, "-out", certificate),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl on this machine to make a certificate with")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("secure"))
    with made.broker as broker:
        servers = ("--bootstrap-server", broker.bootstrap_servers)
        for kind in ("256", "512"):
            scram = f"SCRAM-SHA-{kind}=[password={PASSWORD}]"
            user = ("--alter", "--entity-type", "users", "--entity-name", USER, "--add-config", scram)
            broker.tool("kafka.admin.ConfigCommand", *servers, *user)
        yield made


def _works(settings: Settings) -> None:
    """Topics are made and checked, a record goes in and comes out."""
    name = full_name(settings, RESOURCES)

    async def use() -> None:
        await ensure_topics(settings, [RESOURCES])
        async with AIOKafkaProducer(**client_config(settings)) as producer:
            await producer.send_and_wait(name, b"x", key=b"k")
        config = client_config(settings, auto_offset_reset="earliest")
        async with AIOKafkaConsumer(name, **config) as consumer, asyncio.timeout(20):
            assert (await consumer.getone()).value == b"x"

    asyncio.run(use())
    assert sum(at.end for at in asyncio.run(watermarks(settings, [name])).values()) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("door", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_login_opens_the_cluster(cluster: Cluster, door: str, mechanism: str) -> None:
    _works(cluster.settings(door, kafka_sasl_mechanism=mechanism))


def test_tls_opens_the_cluster(cluster: Cluster) -> None:
    _works(cluster.settings("SSL"))


def test_a_certificate_of_our_own_opens_a_cluster_that_asks_for_one(cluster: Cluster) -> None:
    files = {"kafka_tls_cert_file": cluster.certificate, "kafka_tls_key_file": cluster.key}
    _works(cluster.settings("MUTUAL", **files))
    with pytest.raises(BrokerError, match="no answer from Kafka"):
        asyncio.run(cluster_identity(cluster.settings("MUTUAL")))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_told_without_showing_it(cluster: Cluster, mechanism: str) -> None:
    wrong = cluster.settings("SASL_SSL", kafka_sasl_mechanism=mechanism, kafka_sasl_password=SecretStr("hunter2"))
    with pytest.raises(BrokerError, match=r"\(SASL_SSL\): .*(A|a)uthentication") as caught:
        asyncio.run(cluster_identity(wrong))
    assert "hunter2" not in str(caught.value)
    assert "TIDEGATE_KAFKA_SASL_PASSWORD" in str(caught.value)


def test_a_broker_whose_certificate_is_not_trusted_is_refused(cluster: Cluster) -> None:
    with pytest.raises(BrokerError, match=r"\(SSL\): .*certificate verify failed") as caught:
        asyncio.run(cluster_identity(cluster.settings("SSL", kafka_tls_ca_file=None)))
    assert "TIDEGATE_KAFKA_TLS_CA_FILE" in str(caught.value)


def test_plain_text_at_a_tls_door_gets_an_answer_in_words(cluster: Cluster) -> None:
    settings = Settings(kafka_bootstrap_servers=f"{HOST}:{cluster.ports['SSL']}")
    with pytest.raises(
        BrokerError, match=r"no answer from Kafka at .* \(PLAINTEXT\): .*TIDEGATE_KAFKA_SECURITY_PROTOCOL"
    ):
        asyncio.run(cluster_identity(settings))

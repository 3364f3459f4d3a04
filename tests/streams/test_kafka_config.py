"""Settings become what aiokafka needs, and what is wrong with them is told without a secret."""

import ssl
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.errors import SettingsError
from streams.kafka import client_config
from streams.settings import Settings, load

SERVERS = "kafka-1:9093, kafka-2:9093"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, made by OpenSSL's own program; and the key once more, locked."""
    folder = tmp_path_factory.mktemp("pem")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tidegate"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl on this machine")
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:sesame", "-in", folder / "key.pem", "-out", folder / "locked"],
        capture_output=True,
        check=True,
    )
    return folder


def test_plain_text_needs_no_more_than_the_servers() -> None:
    assert client_config(Settings(kafka_bootstrap_servers=SERVERS)) == {
        "bootstrap_servers": ["kafka-1:9093", "kafka-2:9093"],
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_login_is_passed_on(protocol: str, mechanism: str) -> None:
    config = client_config(
        load(
            kafka_bootstrap_servers=SERVERS,
            kafka_security_protocol=protocol,
            kafka_sasl_mechanism=mechanism,
            kafka_sasl_username="tidegate",
            kafka_sasl_password=SecretStr("sesame"),
        )
    )
    assert config["sasl_mechanism"] == mechanism
    assert (config["sasl_plain_username"], config["sasl_plain_password"]) == ("tidegate", "sesame")
    assert ("ssl_context" in config) == (protocol == "SASL_SSL")


def test_what_a_caller_adds_wins() -> None:
    config = client_config(Settings(kafka_bootstrap_servers=SERVERS), client_id="x", security_protocol="SSL")
    assert (config["client_id"], config["security_protocol"]) == ("x", "SSL")


def test_tls_checks_name_and_certificate_of_the_broker(pem: Path) -> None:
    context = client_config(
        Settings(
            kafka_bootstrap_servers=SERVERS,
            kafka_security_protocol="SSL",
            kafka_tls_ca_file=pem / "cert.pem",
            kafka_tls_cert_file=pem / "cert.pem",
            kafka_tls_key_file=pem / "key.pem",
        )
    )["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"ca": "absent.pem"}, "TIDEGATE_KAFKA_TLS_CA_FILE: can't read"),
        ({"ca": "key.pem"}, "TIDEGATE_KAFKA_TLS_CA_FILE: .*key.pem holds no CA certificate"),
        ({"cert": "absent.pem"}, "TIDEGATE_KAFKA_TLS_CERT_FILE: can't read"),
        ({"cert": "cert.pem", "key": "absent.pem"}, "TIDEGATE_KAFKA_TLS_KEY_FILE: can't read"),
        ({"cert": "cert.pem"}, "TIDEGATE_KAFKA_TLS_CERT_FILE: .*can't be used"),
        ({"cert": "cert.pem", "key": "locked"}, "the key without a password"),
        ({"key": "key.pem"}, "TIDEGATE_KAFKA_TLS_KEY_FILE is set without"),
    ],
)
def test_a_wrong_file_is_named_with_its_setting(pem: Path, files: dict[str, str], says: str) -> None:
    given = {f"kafka_tls_{kind}_file": pem / name for kind, name in files.items()}
    settings = load(kafka_bootstrap_servers=SERVERS, kafka_security_protocol="SSL", **given)
    with pytest.raises(SettingsError, match=says):
        client_config(settings)


def test_without_a_cluster_the_way_out_is_told() -> None:
    with pytest.raises(SettingsError, match=r"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS is not set.*tidegate up"):
        client_config(Settings())


def test_no_error_of_the_settings_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_PARTITIONS", "many")
    with pytest.raises(SettingsError) as caught:
        load(kafka_sasl_password=["sesame"], kafka_security_protocol="SASL_SSL", sesam="sesame")
    said = str(caught.value)
    assert "sesame" not in said
    assert "TIDEGATE_KAFKA_SASL_PASSWORD: " in said
    assert "TIDEGATE_SESAM: " in said
    assert "TIDEGATE_PARTITIONS: Input should be a valid integer" in said
    assert "got 'many'" in said
    assert caught.value.__cause__ is None


def test_half_a_login_is_refused() -> None:
    with pytest.raises(SettingsError, match="set TIDEGATE_KAFKA_SASL_USERNAME and TIDEGATE_KAFKA_SASL_PASSWORD"):
        load(kafka_security_protocol="SASL_SSL", kafka_sasl_password=SecretStr("sesame"))


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_KAFKA_TLS_CA_FILE", "")
    monkeypatch.setenv("TIDEGATE_PARTITIONS", "")
    assert load() == Settings()
    assert load().kafka_tls_ca_file is None

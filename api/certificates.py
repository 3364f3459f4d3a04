"""Certificates for https: the operator's, or one of an authority of this machine, made in the data folder."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from streams.errors import SettingsError
from streams.settings import Settings

CA_YEARS = 10
DAYS = 90
"""How long the certificate of the machine holds; it's made anew at a start when a third of that is left."""


class Pair(NamedTuple):
    """Files in PEM. *authority*: what clients have to trust; None where the operator knows it."""

    certificate: Path
    key: Path
    authority: Path | None


def pair(settings: Settings) -> Pair:
    """Return the certificate that *settings* name, or one for this machine, made where it's missing or old.

    Raises SettingsError.
    """
    if settings.api_tls_cert_file and settings.api_tls_key_file:
        return Pair(settings.api_tls_cert_file, settings.api_tls_key_file, None)
    if settings.api_tls_cert_file or settings.api_tls_key_file:
        raise SettingsError("TIDEGATE_API_TLS_CERT_FILE and TIDEGATE_API_TLS_KEY_FILE: set both, or neither")
    folder = settings.data / "tls"
    made = Pair(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _holds(made.certificate, settings.api_host):
            _make(folder, settings.api_host)
    except OSError as error:
        raise SettingsError(f"{folder}: {error.strerror}: it holds the certificate for https") from error
    return made


def _holds(path: Path, host: str) -> bool:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return left > timedelta(days=DAYS / 3) and set(_names(host)) <= set(names)


def _names(host: str) -> list[Any]:
    from cryptography import x509

    names: list[Any] = [x509.DNSName("localhost")]
    for each in ("127.0.0.1", "::1", host):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(each)))
        except ValueError:
            names.append(x509.DNSName(each))
    return list(dict.fromkeys(names))


def _make(folder: Path, host: str) -> None:
    """Write an authority, where there is none, and a certificate by it for *host* and this machine."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def begun(subject: str, issuer: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days))
        )

    def usage(*, authority: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )

    ca_path, ca_key_path = folder / "ca.pem", folder / "ca.key"
    if not ca_path.exists() or not ca_key_path.exists():
        ca_key: Any = ec.generate_private_key(ec.SECP256R1())
        name = "Tidegate local authority"
        ca = (
            begun(name, named(name), ca_key, CA_YEARS * 365)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        _secret(ca_key_path, _pem(ca_key))
        ca_path.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    ca_key = serialization.load_pem_private_key(ca_key_path.read_bytes(), None)
    ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    server = (
        begun("Tidegate", ca.subject, key, DAYS)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _secret(folder / "server.key", _pem(key))
    (folder / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)

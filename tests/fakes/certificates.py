"""Certificates for tests: an authority, a server on the loopback, and a client; new in every run."""

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def client_pem() -> dict[str, str]:
    """Return the settings of a client whose certificate the authority signed."""
    certificate, key = signed("tidegate")
    return {"client_certificate": certificate, "client_key": key}


def authority_pem() -> str:
    """Return the authority's certificate."""
    return _pem(_authority()[0])


@cache
def signed(name: str) -> tuple[str, str]:
    """Return the certificate and key of *name*, good for 127.0.0.1, in PEM."""
    authority, signing = _authority()
    certificate, key = _certificate(name, authority.subject, signing)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return _pem(certificate), plain


@cache
def _authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    return _certificate("authority", None, None)


def _certificate(
    name: str, issuer: x509.Name | None, signing: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signing is None, path_length=None), critical=True)
        .add_extension(here, critical=False)
    )
    return builder.sign(signing or key, SHA256()), key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()

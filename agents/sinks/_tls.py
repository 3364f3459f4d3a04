"""Certificates of one's own: a client's, and the authorities that a server is checked by."""

import os
import ssl
import tempfile


def tls(certificate: str, key: str, authorities: str) -> ssl.SSLContext:
    """Return how to connect, of texts in PEM. Empty *authorities*: the system's. Servers are always checked.

    Raises ssl.SSLError or ValueError when they are no certificates, or the key is another one's.
    """
    context = ssl.create_default_context(cadata=authorities or None)
    if certificate:
        handle, path = tempfile.mkstemp()  # Python reads them from files only; this one only we may read
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{certificate}\n{key}\n")
            context.load_cert_chain(path, password=_refuse)
        finally:
            os.unlink(path)
    return context


def _refuse() -> str:
    """Have no password, where OpenSSL would ask at the terminal."""
    raise ValueError("the key has a password")

"""AWS's signature, version 4: what proves to an AWS service who sends a request."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from agents.sinks._client import Request


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. *until*: seconds since 1970 UTC at which it is no longer good; None: it has no end."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    until: float | None = None


def signed(request: Request, credentials: Credentials, region: str, service: str, now: float) -> Request:
    """Return *request* with the headers that prove who sends it. *now*: seconds since 1970 UTC."""
    url = urlsplit(request.url)
    time = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = request.headers | {"X-Amz-Date": time}
    if credentials.session_token:
        headers["X-Amz-Security-Token"] = credentials.session_token
    lower = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | {"host": url.netloc}
    names = ";".join(sorted(lower))
    query = sorted((quote(name, "-_.~"), quote(value, "-_.~")) for name, value in parse_qsl(url.query, True))
    canonical = "\n".join(
        [
            request.method,
            quote(url.path or "/", "/-_.~"),  # a path that is quoted is quoted once more: so all but S3 want it
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{lower[name]}" for name in sorted(lower)),
            "",
            names,
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}".encode(), "sha256").hex()
    proof = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return Request(request.method, request.url, request.body, headers | {"Authorization": f"AWS4-HMAC-SHA256 {proof}"})

"""Types that the settings of destinations share: addresses, and secrets that fit into a header."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from agents.sinks._template import check_template


def on_one_line(secret: SecretStr) -> SecretStr:
    """Return the *secret*. Raises ValueError unless it is printable ASCII on one line."""
    if not re.fullmatch(r"[\x20-\x7e]*", secret.get_secret_value()):
        raise ValueError("wanted printable ASCII on one line")
    return secret


def an_address(url: SecretStr) -> SecretStr:
    """Return the secret address *url*. Raises ValueError unless it is one of http or https, or empty."""
    if url.get_secret_value() and not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", url.get_secret_value()):
        raise ValueError("wanted an address that starts with http:// or https://")
    return url


def without_slash(url: str) -> str:
    """Return *url* as what paths are appended to."""
    return url.rstrip("/")


Key = Annotated[SecretStr, AfterValidator(on_one_line)]
"""A secret that fits into a header."""

SecretAddress = Annotated[SecretStr, AfterValidator(an_address)]
"""An address of http or https that holds a key."""

Host = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/\S*)?$"), AfterValidator(without_slash)]
"""An address of http or https, without a slash at its end."""

OptionalHost = Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+(/\S*)?)?$"), AfterValidator(without_slash)]
"""The same, or empty."""

Template = Annotated[str, AfterValidator(check_template)]
"""A text with variables such as `${AlertId}`."""

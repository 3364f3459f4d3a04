"""What the product's clients call the settings of each destination, and what Tidegate does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.connectors import CONNECTORS
from agents.inbound import KEPT, InboundIntegration
from agents.integrations import Integration
from agents.sinks import SINKS
from api.prisma.failures import bad, unsupported
from api.prisma.words import suggestion
from streams.control.seal import MASK

CHANNELS = {kind.prisma: name for name, kind in SINKS.items()}
"""Each type of integration that is told of alerts, with Tidegate's name of the destination."""

PULLED = {kind.prisma: name for name, kind in CONNECTORS.items()}
"""Each type of integration that brings data in, with Tidegate's name of the connector that pulls it."""

INBOUND = (*PULLED, *KEPT)
"""The same, and those that are only kept."""

ABSENT = ("azure_service_bus_queue", "aws_s3", "aws_sdl", "snowflake", "email", "azure_security_center")
"""Types that the product has and Tidegate hasn't."""


HOST = "hostUrl"
BASE = "baseUrl"
"""The settings that are read back as they were written even where Tidegate's is another text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The settings of one type: the client's names with Tidegate's. *kept*: what only the client's form holds.
    *clear*: secrets of ours that an admin may read again, since clients compare them with what they wrote.
    """

    names: Mapping[str, str]
    kept: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    apart: tuple[str, ...] = field(default=())
    """What takes more than another name: `_apart_in` and `_apart_out` say how."""


SHAPES: dict[str, Shape] = {
    "slack": Shape({"webhookUrl": "webhook_url"}, clear=("webhookUrl",)),
    "splunk": Shape({"url": "url", "authToken": "auth_token", "sourceType": "source_type"}),
    "webhook": Shape(
        {"url": "url", "authToken": "token"},
        kept=("isCustomPayloadEnabled",),
        clear=("url",),
        apart=("headers", "customPayloads"),
    ),
    "amazon_sqs": Shape(
        {
            "queueUrl": "queue_url",
            "accessKey": "access_key",
            "secretKey": "secret_key",
            "roleArn": "role_arn",
            "externalId": "external_id",
        },
        kept=("moreInfo",),
    ),
    "aws_security_hub": Shape(
        {
            "accountId": "account_id",
            "accessKey": "access_key",
            "secretKey": "secret_key",
            "roleArn": "role_arn",
            "externalId": "external_id",
        },
        kept=("regions", "defaultRegion"),
        apart=("regions", "defaultRegion"),
    ),
    "google_cscc": Shape({"orgId": "org_id", "sourceId": "source_id"}),
    "jira": Shape(
        {
            "hostUrl": "host_url",
            "login": "login",
            "secretKey": "api_token",
            "oauthToken": "access_token",
            "project": "project",
            "issueType": "issue_type",
        }
    ),
    "service_now": Shape(
        {"hostUrl": "host_url", "login": "login", "password": "password"},
        kept=("version", "tables"),
        apart=("tables",),
    ),
    "pager_duty": Shape({"integrationKey": "integration_key"}, kept=(), apart=("authToken",)),
    "microsoft_teams": Shape({"url": "url"}, clear=("url",)),
    "demisto": Shape(
        {"hostUrl": "host_url", "apiKey": "api_key", "apiKeyID": "api_key_id"},
        kept=("version", "demistoVersion"),
        apart=("demistoVersion",),
    ),
}


_AWS = Shape(
    {"accessKey": "access_key", "secretKey": "secret_key", "roleArn": "role_arn", "externalId": "external_id"},
    apart=("regions",),
)
INBOUND_SHAPES: dict[str, Shape] = {
    "tenable": Shape({"accessKey": "access_key", "secretKey": "secret_key"}),
    "qualys": Shape({"login": "login", "password": "password", BASE: "url"}),
    "amazon_guardduty": _AWS,
    "amazon_inspector": _AWS,
    "okta_idp": Shape({"domain": "domain", "apiToken": "apiToken"}),
}


def channel_of(type: str) -> str:
    """Return Tidegate's name of the destination that a client calls *type*. Raises Failure."""
    plain = type.strip().lower()
    if plain in ABSENT:
        raise unsupported(
            "integrationType", f"{plain}: Tidegate has no such destination: {', '.join(sorted(CHANNELS))}"
        )
    if plain not in CHANNELS:
        raise bad("integrationType", f"{type!r:.60}: {suggestion(plain, (*CHANNELS, *INBOUND))}")
    return CHANNELS[plain]


def type_of(integration: Integration) -> str:
    """Return what clients call an integration's type."""
    kind = SINKS.get(integration.type)
    return kind.prisma if kind is not None else integration.type


def settings_of(type: str, config: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return Tidegate's settings for a client's *config*; what a client can't say stays as *before*. Raises Failure."""
    shape = SHAPES[type]
    known = (*shape.names, *shape.kept, *shape.apart)
    for name, value in config.items():
        if name not in known and value not in (None, "", [], {}, False):
            raise bad(f"integrationConfig.{name:.60}", f"there is no such setting; {suggestion(name, known)}")
    ours = {*shape.names.values(), "headers", "custom_payload", "regions", "default_region", "table", "version"}
    settings = {name: value for name, value in before.items() if name not in ours}
    settings |= {
        ours: _with_scheme(config[name]) if name == HOST else config[name]
        for name, ours in shape.names.items()
        if config.get(name) not in (None, "")
    }
    return settings | _apart_in(type, config)


def form_of(type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form keeps of *config*: no secrets, and of headers all but the values."""
    form = {name: config[name] for name in (*SHAPES[type].kept, HOST) if config.get(name) is not None}
    if isinstance(config.get("headers"), list):
        form["headers"] = [
            {"key": str(each.get("key")), "secure": bool(each.get("secure")), "readOnly": bool(each.get("readOnly"))}
            for each in config["headers"]
            if isinstance(each, dict)
        ]
    if type == "pager_duty" and config.get("authToken"):
        form["authToken"] = MASK
    return form


def config_of(type: str, settings: Mapping[str, Any], form: Mapping[str, Any], *, admin: bool) -> dict[str, Any]:
    """Return what a client reads; secrets masked, but for addresses where an *admin* reads them."""
    shape = SHAPES[type]
    config = {name: value for name, value in form.items() if name not in ("headers", HOST)}
    for name, ours in shape.names.items():
        value = settings.get(ours)
        if name == HOST and _with_scheme(form.get(HOST)) == value:
            config[name] = form[HOST]
        elif value not in (None, ""):
            config[name] = _shown(value, admin and name in shape.clear)
    return config | _apart_out(type, settings, form, admin)


def inbound_type_of(integration: InboundIntegration) -> str:
    """Return what clients call the type of an integration that brings data in."""
    kind = CONNECTORS.get(integration.type)
    return kind.prisma if kind is not None else integration.type


def inbound_settings(type: str, config: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return Tidegate's settings for a client's *config*; what a client can't say stays as *before*. Raises Failure."""
    shape = _inbound_shape(type)
    kind = CONNECTORS.get(PULLED.get(type, ""))
    for name, ours in shape.names.items():
        needed = kind is None or kind.model_fields[ours].is_required()
        if needed and (not isinstance(config.get(name), str) or not config[name]):
            raise bad(f"integrationConfig.{name}", "missing")
    settings = {name: value for name, value in before.items() if name not in (*shape.names.values(), *shape.apart)}
    settings |= {
        ours: _with_scheme(config[name]) if name == BASE else config[name]
        for name, ours in shape.names.items()
        if config.get(name) not in (None, "")
    }
    if "regions" in shape.apart:
        settings["regions"] = [str(_identifier(each)) for each in config.get("regions") or ()]
    return settings


def inbound_config(type: str, settings: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a client reads of an integration that brings data in; secrets masked."""
    shape = _inbound_shape(type)
    config: dict[str, Any] = {}
    for name, ours in shape.names.items():
        value = settings.get(ours)
        if name == BASE and _with_scheme(form.get(BASE)) == value:
            config[name] = form[BASE]
        elif value not in (None, ""):
            config[name] = MASK if ours in KEPT.get(type, ()) else _shown(value, False)
    if "regions" in shape.apart:
        config["regions"] = [{"name": each, "apiIdentifier": each} for each in settings.get("regions") or ()]
    return config


def renamed(type: str, line: str) -> str:
    """Return a *line* that says what is wrong with a setting, with the client's name of it."""
    names = {ours: theirs for theirs, ours in (SHAPES.get(type) or _inbound_shape(type)).names.items()}
    names |= {"custom_payload": "customPayloads.CS", "table": "tables", "default_region": "defaultRegion"}
    return re.sub(
        r"\bsettings\.(\w+)", lambda found: f"integrationConfig.{names.get(found.group(1), found.group(1))}", line
    )


def _inbound_shape(type: str) -> Shape:
    """Return the settings of a type that brings data in; where clients know none, by our own names."""
    if type in INBOUND_SHAPES:
        return INBOUND_SHAPES[type]
    return Shape({name: name for name in CONNECTORS[PULLED[type]].model_fields})


def _with_scheme(host: Any) -> Any:
    """Return an address with https:// before it, where it has no scheme: clients may leave it out."""
    return f"https://{host}" if isinstance(host, str) and host and "://" not in host else host


def _apart_in(type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    match type:
        case "webhook":
            headers = config.get("headers") or []
            if not all(isinstance(each, dict) and isinstance(each.get("key"), str) for each in headers):
                raise bad("integrationConfig.headers", "wanted a list of `key` and `value`")
            made["headers"] = {each["key"]: str(each.get("value") or "") for each in headers}
            payloads = config.get("customPayloads")
            if isinstance(payloads, dict) and payloads.get("CS") and config.get("isCustomPayloadEnabled") is not False:
                made["custom_payload"] = str(payloads["CS"])
        case "aws_security_hub":
            regions = config.get("regions") or []
            made["regions"] = [str(_identifier(each)) for each in regions]
            if config.get("defaultRegion"):
                made["default_region"] = str(_identifier(config["defaultRegion"]))
        case "service_now":
            tables = [name for each in config.get("tables") or [] for name, on in dict(each).items() if on]
            if len(tables) > 1:
                raise unsupported("integrationConfig.tables", "one table each: make an integration for each of them")
            made |= {"table": tables[0]} if tables else {}
        case "demisto":
            version = str(config.get("demistoVersion") or config.get("version") or "")
            made |= {"version": version.partition(".")[0]} if version else {}
    return made


def _apart_out(type: str, settings: Mapping[str, Any], form: Mapping[str, Any], admin: bool) -> dict[str, Any]:
    match type:
        case "webhook":
            flags = {each["key"]: each for each in form.get("headers") or ()}
            made: dict[str, Any] = {
                "headers": [
                    {
                        "key": key,
                        "value": _shown(value, admin and key in flags and not flags[key]["secure"]),
                        "secure": bool(flags.get(key, {}).get("secure", True)),
                        "readOnly": bool(flags.get(key, {}).get("readOnly", False)),
                    }
                    for key, value in (settings.get("headers") or {}).items()
                ]
            }
            if settings.get("custom_payload"):
                made["customPayloads"] = {"CS": settings["custom_payload"]}
            return made
        case "aws_security_hub" if "regions" not in form:
            return {"regions": [{"name": each, "apiIdentifier": each} for each in settings.get("regions") or ()]}
        case "service_now" if "tables" not in form:
            return {"tables": [{str(settings.get("table") or "incident"): True}]}
        case "demisto" if "demistoVersion" not in form:
            return {"demistoVersion": "6.0" if settings.get("version") == "6" else "8.0"}
    return {}


def _identifier(region: Any) -> Any:
    return region.get("apiIdentifier") or region.get("name") if isinstance(region, dict) else region


def _shown(value: Any, clear: bool) -> Any:
    """Return a setting's value; of a secret its text where *clear*, else asterisks."""
    if hasattr(value, "get_secret_value"):
        text = value.get_secret_value()
        return text if clear or text.startswith(("env:", "file:")) else MASK
    return value

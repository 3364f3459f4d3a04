"""The forms that an alert is told in, as a receiver reads them; what claims to be OCSF is held to OCSF's schema."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

_CLASSES = {2003: "compliance_finding", 2004: "detection_finding"}


def alert_and_status(told: dict[str, Any]) -> tuple[str, str]:
    """Return the alert that was *told*, and its status."""
    if "class_uid" not in told:
        return told["alertId"], told["alertStatus"]
    validator(told["class_uid"]).validate(told)
    return told["finding_info"]["uid"], told["unmapped"]["alert_status"]


@cache
def validator(class_uid: int) -> Draft202012Validator:
    """Return what holds an event to its class with the profile `cloud`, strictly: no attribute that OCSF hasn't."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    return Draft202012Validator(schema.get_class_schema(_CLASSES[class_uid], ["cloud"]))

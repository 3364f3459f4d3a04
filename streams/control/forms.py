"""What clients of the REST API said of an object and Tidegate has no field for, for them to read back."""

from typing import Any

from pydantic import Field

from streams.control.kinds import Kind, Object


class ClientForm(Object):
    """The rest of an object. The id is the object's kind and id with a colon between; the object's own fields win."""

    made_at: int = Field(default=0, description="When the object was made, in ms since 1970 UTC.")
    made_by: str = Field(default="", description="Who made it.")
    fields: dict[str, Any] = Field(default_factory=dict, description="As the client sent them; never a secret.")


CLIENT_FORMS = Kind(
    name="client-form",
    plural="client-forms",
    about="what API clients said of objects beyond their fields; goes with them",
    model=ClientForm,
    example={
        "id": "alert-rule:critical-to-the-soc",
        "name": "Critical to the SOC",
        "fields": {"description": "Agreed with the SOC."},
    },
    names_once=False,
)

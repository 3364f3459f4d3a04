"""Cloud accounts and their groups: registered when first seen in data, in the default group."""

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, StrictBool

from streams.control.control import Control
from streams.control.kinds import Kind, Object
from streams.control.plan import Edit, State
from streams.records import Cloud

DEFAULT_GROUP = "default"

Text = Annotated[str, Field(min_length=1)]


class AccountGroup(Object):
    """Accounts that are looked after together; alert rules choose by group."""

    description: str = Field(default="", description="What they have in common.")


class CloudAccount(Object):
    """One account of a cloud: AWS account, Azure subscription, GCP project. Its id is the canonical account."""

    cloud: Cloud = Field(description="Whose it is.")
    enabled: StrictBool = Field(default=True, description="Whether alerts are raised in it.")
    groups: tuple[Text, ...] = Field(default=(DEFAULT_GROUP,), description="Ids of the groups that it is in.")
    owners: tuple[Text, ...] = Field(default=(), description="Who is asked about it, such as mail addresses.")
    ancestors: tuple[Text, ...] = Field(
        default=(), description="The organisation's units above it, the nearest first, by name."
    )


class Seen(NamedTuple):
    """An account that stands in data."""

    id: str
    cloud: Cloud


ACCOUNT_GROUPS = Kind(
    name="account-group",
    plural="account-groups",
    about="groups of cloud accounts",
    model=AccountGroup,
    example={"id": "production", "name": "Production", "description": "What customers use."},
    shipped={DEFAULT_GROUP: AccountGroup(id=DEFAULT_GROUP, name="Default Account Group")},
)
CLOUD_ACCOUNTS = Kind(
    name="cloud-account",
    plural="cloud-accounts",
    about="cloud accounts, as they were first seen and as people describe them",
    model=CloudAccount,
    example={
        "id": "123456789012",
        "name": "Web shop",
        "cloud": "aws",
        "groups": ["production"],
        "owners": ["shop@example.com"],
    },
    refers={"groups[]": "account-group"},
    names_once=False,
)


async def register(control: Control, seen: Iterable[Seen]) -> int:
    """Register those of *seen* that aren't yet, by their id and in the default group; return their number.

    Costs nothing where all are known. Raises BrokerError.
    """
    wanted = {each.id: each for each in seen}
    known = control.objects(CLOUD_ACCOUNTS.name)

    def unknown(state: State) -> Sequence[Edit]:
        held = state[CLOUD_ACCOUNTS.name]
        return [
            Edit(CLOUD_ACCOUNTS.name, each.id, {"name": each.id, "cloud": each.cloud})
            for each in wanted.values()
            if each.id not in held
        ]

    if all(id in known for id in wanted):
        return 0
    return len(await control.change(unknown, by="tidegate", origin="data"))

"""Policies: named questions whose answer is what violates them, one YAML file each; its name is the policy's id.

folder of files -> load -> {id: Policy} -> violations -> Answer
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from queries.check import Checked, check
from queries.compile import prepare_subjects
from queries.compile_clause import EVERYWHERE
from queries.errors import PolicyError, RqlError, nearest
from queries.fragment import Slot
from queries.parse import parse
from queries.run import Answer, run
from queries.subjects import Subject, subjects
from queries.syntax import And, Attribute, Condition, Not, OneFinding, Or

Severity = Literal["critical", "high", "medium", "low", "informational"]
Cloud = Literal["aws", "azure", "gcp", "alibaba", "oci", "ibm"]
Text = Annotated[str, Field(min_length=1)]

SHIPPED = Path(__file__).parent / "policies"
"""The folder of the policies that come with Tidegate."""


class Requirement(BaseModel):
    """What a standard asks for, and the policy checks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    standard: Text = Field(description="The standard, with its version.")
    requirement: Text = Field(description="Its number or name there.")


class Policy(BaseModel):
    """One policy, as its file says it; only such a one exists whose RQL can be answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: Text = Field(description="The file's name without `.yaml`; never changes, alerts are known by it.")
    name: Text = Field(description="What people call it.")
    severity: Severity = Field(description="How bad a violation is.")
    cloud: Cloud | None = Field(default=None, description="The cloud that it is about; none: any.")
    description: Text = Field(description="What is wrong with a resource that violates it, and why that matters.")
    recommendation: Text = Field(description="How to mend it.")
    rql: Text = Field(description="The query that finds the resources which violate it.")
    labels: tuple[Text, ...] = Field(default=(), description="Words to choose policies by.")
    compliance: tuple[Requirement, ...] = Field(
        default=(), description="The requirements that it checks: `standard` and `requirement` of each."
    )
    enabled: StrictBool = Field(default=True, description="Whether it is evaluated.")

    @cached_property
    def checked(self) -> Checked:
        """The query's checked tree, ready to be compiled."""
        return check(parse(self.rql))


@dataclass(frozen=True, slots=True)
class Touches:
    """What can change who violates a policy. *api_names*: only resources with one of these can; None: any can.
    *findings*: a finding can make or end a violation; *needs_findings*: without one there is none. *time*: time alone
    can. *single*: each resource is judged by itself; else everything of its account has to be looked at.
    """

    api_names: frozenset[str] | None
    findings: bool
    needs_findings: bool = False
    time: bool = False
    single: bool = True


def load(folder: Path) -> dict[str, Policy]:
    """Return the policies of the files `*.yaml` in *folder*, by id. Raises PolicyError for all that is wrong in it."""
    wrongs: list[str] = []
    found: dict[str, Policy] = {}
    if not folder.is_dir():
        raise PolicyError(f"{folder}: no folder of policies is there")
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yml":
            wrongs.append(f"{path}: not read, as a policy's file ends in .yaml; rename it to {path.stem}.yaml")
        elif path.suffix == ".yaml":
            try:
                found[path.stem] = read(path)
            except PolicyError as wrong:
                wrongs.append(str(wrong))
    if wrongs:
        raise PolicyError("\n".join(wrongs))
    return found


def load_all(own: Path | None = None) -> dict[str, Policy]:
    """Return the shipped policies and those in the folder *own*, by id; one of yours replaces a shipped one of its id.

    Raises PolicyError.
    """
    return dict(sorted({**load(SHIPPED), **(load(own) if own else {})}.items()))


def read(path: Path) -> Policy:
    """Return the policy in the file *path*. Raises PolicyError, a line for each thing that is wrong."""
    if not _ID.fullmatch(path.stem):
        raise PolicyError(
            f"{path}: the file's name is the policy's id: lower-case letters, digits and single hyphens, at most 100"
        )
    said = _mapping(path)
    if "id" in said:
        raise PolicyError(f"{path}: id: {said['id']!r}: leave it out, the file's name is the policy's id")
    try:
        policy = Policy(id=path.stem, **said)
    except ValidationError as error:
        raise PolicyError("\n".join(f"{path}: {_line(e)}" for e in error.errors(include_url=False))) from None
    try:
        limit = policy.checked.query.limit
    except RqlError as wrong:
        raise PolicyError(f"{path}: rql: {wrong}") from wrong
    if limit is not None:
        raise PolicyError(
            f"{path}: rql: a policy finds all that violate it: leave out `limit search records to {limit}`"
        )
    return policy


def violations(
    connection: duckdb.DuckDBPyConnection, policy: Policy, now: datetime, limit: int = 100, timeout: float | None = None
) -> Answer:
    """Return the resources that violate *policy*, whether it is enabled or not: at most *limit* rows, all counted.

    Otherwise as queries.run, but joins stay within an account. Raises RqlError when it takes longer than *timeout*, in
    seconds.
    """
    return run(connection, policy.rql, now=now, limit=limit, timeout=timeout, by_account=True)


def violators(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    now: datetime,
    *,
    rids: Sequence[int] | None = None,
    accounts: Sequence[str] | None = None,
) -> list[Subject]:
    """Return every subject that violates *policy*: among the resources *rids*, where touches(policy).single; or among
    what *accounts* own.
    """
    return subjects(connection, policy.rql, now, rids=rids, accounts=accounts)


def touches(policy: Policy) -> Touches:
    """Return what has to change before the violations of *policy* can."""
    checked = policy.checked
    named = [_api_names(clause.condition) for clause in checked.clauses]
    names = None if None in named else frozenset().union(*(each for each in named if each is not None))
    findings = any(_asks_findings(clause.condition) for clause in checked.clauses)
    needs = any(_needs_findings(clause.condition) for clause in checked.clauses)
    time = Slot.NOW in prepare_subjects(checked, EVERYWHERE).values
    return Touches(names, findings, needs and checked.single, time, checked.single)


_ID = re.compile(r"(?=.{1,100}\Z)[a-z0-9]+(-[a-z0-9]+)*")


class _OneKeyOnce(yaml.SafeLoader):
    """YAML as everybody reads it, but a key that stands twice is a mistake, not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value}: stands there twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), _OneKeyOnce)  # noqa: S506 # a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: can't be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}, " if error.problem_mark else ""
        hint = "" if "twice" in str(error.problem) else "; a text that holds `: ` or ` #` needs quotes or a block `>-`"
        raise PolicyError(f"{path}: {place}{error.problem}{hint}") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"{path}: not YAML: {error}") from None
    if not isinstance(said, dict) or not all(isinstance(key, str) for key in said):
        wanted = ", ".join(name for name in Policy.model_fields if name != "id")
        raise PolicyError(f"{path}: wanted keys with their values: {wanted}")
    return said


def _line(error: ErrorDetails) -> str:
    """Say one of pydantic's findings: the field, the value, the way out."""
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).removeprefix(".")
    name = str(error["loc"][-1])
    kind, value = error["type"], f"{error['input']!r:.80}"
    known = Requirement.model_fields if len(error["loc"]) > 1 else Policy.model_fields
    match kind:
        case "extra_forbidden":
            names = [each for each in known if each != "id"]
            return f"{field}: there is no such key; {nearest(name, names) or 'known: ' + ', '.join(names)}"
        case "missing":
            return f"{field}: missing: {known[name].description}"
        case "literal_error":
            allowed = get_args(Severity if name == "severity" else Cloud)
            return f"{field}: {value}: {nearest(str(error['input']), allowed) or 'one of ' + ', '.join(allowed)}"
        case "string_type":
            return f"{field}: {value}: wanted text: put it in quotes"
        case "string_too_short":
            return f"{field}: empty: say something, or leave the key out where it may be"
        case "bool_type":
            return f"{field}: {value}: true or false"
        case "tuple_type":
            return f"{field}: {value}: wanted a list, an entry a line: `- ...`"
        case "model_type":
            return f"{field}: {value}: wanted `standard: ...` and `requirement: ...`"
    return f"{field}: {value}: {error['msg']}"


def _api_names(condition: Condition) -> frozenset[str] | None:
    """Return the api.names one of which a resource must have to meet *condition*, None where it may have any."""
    match condition:
        case And(parts):
            named = [names for part in parts if (names := _api_names(part)) is not None]
            return frozenset.intersection(*named) if named else None
        case Or(parts):
            each = [_api_names(part) for part in parts]
            return None if None in each else frozenset().union(*(names for names in each if names is not None))
        case Attribute("api.name", "=" | "in", values):
            return frozenset(value.text.strip() for value in values)
        case _:
            return None


def _asks_findings(condition: Condition) -> bool:
    match condition:
        case And(parts) | Or(parts):
            return any(_asks_findings(part) for part in parts)
        case Not(inner):
            return _asks_findings(inner)
        case _:
            return isinstance(condition, OneFinding)


def _needs_findings(condition: Condition) -> bool:
    match condition:
        case And(parts):
            return any(_needs_findings(part) for part in parts)
        case Or(parts):
            return all(_needs_findings(part) for part in parts)
        case _:
            return isinstance(condition, OneFinding)


def by_severity(policies: Mapping[str, Policy]) -> list[Policy]:
    """Return *policies*, the worst severity first, then by id."""
    order = get_args(Severity)
    return sorted(policies.values(), key=lambda policy: (order.index(policy.severity), policy.id))

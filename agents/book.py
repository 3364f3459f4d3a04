"""What is evaluated: the policies and alert rules of the moment, in the forms that evaluations need."""

import hashlib
from collections.abc import Iterable, Mapping

from agents.rules import DEFAULT, AlertRule
from queries.compile import condition
from queries.policy import Policy, touches
from queries.violating import FindingsOf
from streams.alerts import AlertPolicy
from streams.store.evaluations import RULES


class Judged:
    """An enabled policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.findings = FindingsOf(policy.checked)
        self.touches = touches(policy)
        self.counts = policy.checked.query.count is not None
        self.condition = condition(policy.checked) if self.touches.single else None
        """Of a policy that judges each resource by itself."""
        self.told = AlertPolicy(
            id=policy.id,
            name=policy.name,
            severity=policy.severity,
            description=policy.description,
            recommendation=policy.recommendation,
            labels=list(policy.labels),
        )

    def concerns(self, api_names: Iterable[str]) -> bool:
        """Return whether a change of resources with these api.names may change who violates it."""
        return self.counts or self.touches.api_names is None or not self.touches.api_names.isdisjoint(api_names)


class Book:
    """Policies by id, and alert rules. *disabled*: the ids of policies that are there but aren't evaluated."""

    def __init__(self, policies: Mapping[str, Policy], rules: Iterable[AlertRule] = (DEFAULT,)) -> None:
        self.rules = tuple(rules)
        self.policies = {id: Judged(policy) for id, policy in policies.items() if policy.enabled}
        self.disabled = policies.keys() - self.policies.keys()
        self.digests = {id: _digest(policies[id].model_dump_json()) for id in self.policies}
        covering = [rule.model_dump(mode="json", exclude={"name", "channels"}) for rule in self.rules]
        self.digests[RULES] = _digest(repr(covering))

    @property
    def api_names(self) -> Mapping[str, frozenset[str] | None]:
        """What each policy may find, by its id; None: resources of any api.name."""
        return {id: policy.touches.api_names for id, policy in self.policies.items()}

    @property
    def wide(self) -> frozenset[str]:
        """The policies that look at accounts as a whole."""
        return frozenset(id for id, policy in self.policies.items() if not policy.touches.single)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

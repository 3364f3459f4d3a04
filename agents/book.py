"""What is evaluated: the policies and alert rules of the moment, in the forms that evaluations need."""

import hashlib
from collections.abc import Iterable, Mapping

from agents.alerts import PolicyChange
from agents.rules import DEFAULT, AlertRule, Places
from queries.compile import condition
from queries.policy import Policy, touches
from queries.violating import FindingsOf
from streams.alerts import Alert, AlertPolicy, Requirement
from streams.store import evaluations
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
            compliance=[Requirement(standard=one.standard, requirement=one.requirement) for one in policy.compliance],
        )

    def concerns(self, api_names: Iterable[str]) -> bool:
        """Return whether a change of resources with these api.names may change who violates it."""
        return self.counts or self.touches.api_names is None or not self.touches.api_names.isdisjoint(api_names)


class Book:
    """Policies by id, and alert rules, resolved. *disabled*: the ids of policies that are there but aren't evaluated.

    *places*: what the rules name; *gone*: rules that were deleted lately.
    """

    def __init__(
        self,
        policies: Mapping[str, Policy],
        rules: Iterable[AlertRule] = (DEFAULT,),
        places: Places | None = None,
        gone: Iterable[AlertRule] = (),
    ) -> None:
        places = places or Places()
        self._written = tuple(rules)
        self._gone = tuple(rule.resolved(places) for rule in gone)
        self.rules = tuple(rule.resolved(places) for rule in self._written)
        self.policies = {id: Judged(policy) for id, policy in policies.items() if policy.enabled}
        self.disabled = policies.keys() - self.policies.keys()
        self.digests = {id: _digest(policies[id].model_dump_json()) for id in self.policies}
        covering = [rule.model_dump(mode="json", exclude=_NOT_COVERING) for rule in self.rules]
        self.digests[RULES] = _digest(repr(covering))

        self.conditions = {id: judged.condition for id, judged in self.policies.items() if judged.condition}
        """Of the policies that judge each resource by itself."""

    @property
    def judging(self) -> evaluations.Policies:
        """The policies as the store asks for them."""
        return evaluations.Policies(
            self.digests,
            {id: policy.touches.api_names for id, policy in self.policies.items()},
            frozenset(self.conditions),
        )

    @property
    def wide(self) -> frozenset[str]:
        """The policies that look at accounts as a whole."""
        return frozenset(id for id, policy in self.policies.items() if not policy.touches.single)

    def why_uncovered(self, alert: Alert) -> PolicyChange:
        """Return why no rule covers *alert* any more: what was deleted, disabled, moved to other groups, or edited."""
        policy, resource = alert.policy, alert.resource
        if any(rule.covers(policy, resource) for rule in self._gone):
            return "ALERT_RULE_DELETED"
        for rule in self.rules:
            if not rule.enabled and rule.model_copy(update={"enabled": True}).covers(policy, resource):
                return "ALERT_RULE_DISABLED"
        for written, rule in zip(self._written, self.rules, strict=True):
            if written.account_groups and rule.model_copy(update={"accounts": ()}).covers(policy, resource):
                return "ACCOUNT_GROUP_UPDATED"
        return "ALERT_RULE_UPDATED"


_NOT_COVERING = {"name", "channels", "delay_s", "settle_s"}
"""What of a rule doesn't say what it covers."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

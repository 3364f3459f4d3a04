"""What webhooks, queues and Splunk are told of an alert, field by field: Prisma Cloud's flat alert."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from queries.policy import Severity
from streams.alerts import AlertStatus


class PayloadResource(BaseModel):
    """The resource that an alert is about."""

    model_config = ConfigDict(extra="forbid")

    rrn: str = Field(description="Tidegate's name of it; empty: it is an account.")
    id: str = Field(description="The provider's id.")
    name: str = Field(description="Its name, or its id.")
    accountId: str = Field(description="The cloud account.")
    account: str = Field(description="The same.")
    cloudType: str = Field(description="aws, azure, gcp or alibaba-cloud.")
    regionId: str = Field(description="The provider's region id.")
    region: str = Field(description="The same.")
    resourceType: str = Field(description="The provider's type.")
    resourceApiName: str = Field(description="The api.name of RQL.")
    cloudServiceName: str = Field(description="The provider's service.")
    resourceTags: dict[str, str] = Field(description="Its tags.")
    data: Any = Field(description="Its configuration; a text says that it was left out, as it was too large.")


class AlertPayload(BaseModel):
    """An alert as it is told. Times: ms since 1970 UTC."""

    model_config = ConfigDict(extra="forbid")

    alertId: str = Field(description="Such as P-7.")
    alertStatus: AlertStatus = Field(description="As it is then.")
    reason: str = Field(description="Why it is so.")
    alertTs: int = Field(description="When that was.")
    firstSeen: int = Field(description="When it was found first.")
    lastSeen: int = Field(description="When it was found last, as of its last change.")
    alertRuleId: str = Field(description="The first alert rule that asked for it.")
    alertRuleName: str = Field(description="Its name.")
    alertDismissalNote: str = Field(description="Why it was dismissed.")
    callbackUrl: str = Field(description="The alert's page in the console, where there is one.")
    source: str = Field(description="Always Prisma Cloud, which consumers of this form look for.")
    severity: Severity = Field(description="The policy's.")
    hasFinding: bool = Field(description="Whether it was raised for findings.")
    policyId: str = Field(description="The policy.")
    policyName: str = Field(description="Its name.")
    policyType: str = Field(description="Always config.")
    policyDescription: str = Field(description="What it is about.")
    policyRecommendation: str = Field(description="What to do.")
    policyLabels: list[str] = Field(description="Its labels.")
    accountId: str = Field(description="The cloud account.")
    accountName: str = Field(description="The same.")
    cloudType: str = Field(description="aws, azure, gcp or alibaba-cloud.")
    resourceId: str = Field(description="The provider's id.")
    resourceName: str = Field(description="Its name, or its id.")
    resourceType: str = Field(description="The provider's type.")
    resourceRegion: str = Field(description="The provider's region id.")
    resourceRegionId: str = Field(description="The same.")
    resourceCloudService: str = Field(description="The provider's service.")
    resource: PayloadResource = Field(description="The resource.")

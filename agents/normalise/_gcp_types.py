"""What is known of Google Cloud's asset types: Prisma's api.name for each, and what RQL calls its service."""

from collections.abc import Mapping

from agents.normalise._rows import words


def api_name_of(asset_type: str, regional: bool) -> str:
    """Return the api.name of an asset type. One that isn't known gets a name made of its own."""
    if known := (_REGIONAL.get(asset_type) if regional else None) or API_NAMES.get(asset_type):
        return known
    service, _, kind = asset_type.partition("/")
    made = "-".join(part for part in (words(service.partition(".")[0]), words(kind)) if part)
    return f"gcloud-{made or 'unknown'}"


def service_of(asset_type: str) -> str:
    """Return what RQL calls cloud.service; for a service that isn't known, its own name."""
    service = asset_type.partition("/")[0].partition(".")[0]
    return _SERVICES.get(service, service)


def singular(collection: str) -> str:
    """Return the type of what a collection holds: `instances` -> `Instance`."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("xies", "xy"), ("s", "")):
        if collection.endswith(ending):
            collection = collection.removesuffix(ending) + one
            break
    return collection[:1].upper() + collection[1:]


def plural(kind: str) -> str:
    """Return the collection of a type, as names have it: `LogSink` -> `sinks`, `ManagedZone` -> `managedZones`."""
    kind = kind.removeprefix("Log") or kind
    word = kind[:1].lower() + kind[1:]
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


_COMPUTE = {
    "Address": "gcloud-compute-addresses-list",
    "BackendBucket": "gcloud-compute-backend-bucket",
    "BackendService": "gcloud-compute-external-backend-service",
    "Disk": "gcp-compute-disk-list",
    "Firewall": "gcloud-compute-firewall-rules-list",
    "ForwardingRule": "gcloud-compute-global-forwarding-rule",
    "GlobalAddress": "gcloud-compute-addresses-list",
    "GlobalForwardingRule": "gcloud-compute-global-forwarding-rule",
    "Image": "gcloud-compute-image",
    "Instance": "gcloud-compute-instances-list",
    "InstanceTemplate": "gcloud-compute-instance-template",
    "Network": "gcloud-compute-networks-list",
    "Project": "gcloud-compute-project-info",
    "RegionBackendService": "gcloud-compute-internal-lb-backend-service",
    "RegionDisk": "gcp-compute-disk-list",
    "Route": "gcloud-compute-routes-list",
    "Router": "gcloud-compute-router",
    "SecurityPolicy": "gcloud-armor-security-policy",
    "Snapshot": "gcloud-compute-snapshots-list",
    "SslPolicy": "gcloud-compute-ssl-policies",
    "Subnetwork": "gcloud-compute-networks-subnets-list",
    "TargetHttpsProxy": "gcloud-compute-target-https-proxies",
    "TargetPool": "gcloud-compute-target-pools",
    "TargetSslProxy": "gcloud-compute-target-ssl-proxy",
    "UrlMap": "gcloud-compute-url-maps",
}
_OTHERS = {
    "admin.googleapis.com/User": "gcloud-domain-users",
    "aiplatform.googleapis.com/Endpoint": "gcloud-vertex-ai-aiplatform-endpoint",
    "aiplatform.googleapis.com/Model": "gcloud-vertex-ai-aiplatform-model",
    "aiplatform.googleapis.com/PipelineJob": "gcloud-vertex-ai-aiplatform-pipeline-job",
    "aiplatform.googleapis.com/TrainingPipeline": "gcloud-vertex-ai-aiplatform-training-pipeline",
    "apikeys.googleapis.com/Key": "gcloud-api-key",
    "appengine.googleapis.com/App": "gcloud-app-engine-application",
    "appengine.googleapis.com/Application": "gcloud-app-engine-application",
    "appengine.googleapis.com/IngressRule": "gcloud-app-engine-firewall-rule",
    "bigquery.googleapis.com/Dataset": "gcloud-bigquery-dataset-list",
    "bigquery.googleapis.com/Table": "gcloud-bigquery-table",
    "bigtableadmin.googleapis.com/Instance": "gcloud-bigtable-instance-list",
    "cloudfunctions.googleapis.com/CloudFunction": "gcloud-cloud-function",
    "cloudfunctions.googleapis.com/Function": "gcloud-cloud-function-v2",
    "cloudkms.googleapis.com/CryptoKey": "gcloud-kms-crypto-keys-list",
    "cloudkms.googleapis.com/KeyRing": "gcloud-kms-keyring-list",
    "composer.googleapis.com/Environment": "gcloud-composer-environment",
    "container.googleapis.com/Cluster": "gcloud-container-describe-clusters",
    "dataproc.googleapis.com/Cluster": "gcloud-dataproc-clusters-list",
    "dns.googleapis.com/ManagedZone": "gcloud-dns-managed-zone",
    "dns.googleapis.com/Policy": "gcloud-dns-policy",
    "file.googleapis.com/Instance": "gcloud-filestore-instance",
    "iam.googleapis.com/Key": "gcloud-iam-service-accounts-keys-list",
    "iam.googleapis.com/ServiceAccount": "gcloud-iam-service-accounts-list",
    "iam.googleapis.com/Account": "gcloud-iam-service-accounts-list",
    "iam.googleapis.com/ServiceAccountKey": "gcloud-iam-service-accounts-keys-list",
    "logging.googleapis.com/LogMetric": "gcloud-logging-metric",
    "logging.googleapis.com/LogSink": "gcloud-logging-sinks-list",
    "logging.googleapis.com/Metric": "gcloud-logging-metric",
    "logging.googleapis.com/Sink": "gcloud-logging-sinks-list",
    "memcache.googleapis.com/Instance": "gcloud-memorystore-memcached-instance",
    "monitoring.googleapis.com/AlertPolicy": "gcloud-monitoring-policies-list",
    "notebooks.googleapis.com/Instance": "gcloud-vertex-ai-notebook-instance",
    "pubsub.googleapis.com/Subscription": "gcloud-pubsub-subscription",
    "pubsub.googleapis.com/Topic": "gcloud-pubsub-topic",
    "redis.googleapis.com/Instance": "gcloud-redis-instances-list",
    "run.googleapis.com/Revision": "gcloud-cloud-run-revisions-list",
    "run.googleapis.com/Service": "gcloud-cloud-run-services-list",
    "secretmanager.googleapis.com/Secret": "gcloud-secretsmanager-secret",
    "spanner.googleapis.com/Database": "gcloud-cloud-spanner-database",
    "spanner.googleapis.com/Instance": "gcloud-cloud-spanner-instance-list",
    "sql.googleapis.com/Instance": "gcloud-sql-instances-list",
    "sqladmin.googleapis.com/Instance": "gcloud-sql-instances-list",
    "storage.googleapis.com/Bucket": "gcloud-storage-buckets-list",
}
API_NAMES: Mapping[str, str] = _OTHERS | {f"compute.googleapis.com/{kind}": name for kind, name in _COMPUTE.items()}
"""api.name by asset type, also by what some collectors call it."""

_REGIONAL = {
    "compute.googleapis.com/BackendService": "gcloud-compute-internal-lb-backend-service",
    "compute.googleapis.com/ForwardingRule": "gcloud-compute-regional-forwarding-rule",
}
KINDS: Mapping[str, str] = {
    "bigquery#dataset": "bigquery.googleapis.com/Dataset",
    "bigquery#table": "bigquery.googleapis.com/Table",
    "dns#managedZone": "dns.googleapis.com/ManagedZone",
    "dns#policy": "dns.googleapis.com/Policy",
    "sql#instance": "sqladmin.googleapis.com/Instance",
    "storage#bucket": "storage.googleapis.com/Bucket",
}
"""Asset types by the `kind` that an API's answer has; Compute's are all spelt alike."""

COLLECTIONS: Mapping[str, str] = {
    "alertPolicies": "monitoring.googleapis.com/AlertPolicy",
    "clusters": "container.googleapis.com/Cluster",
    "cryptoKeys": "cloudkms.googleapis.com/CryptoKey",
    "environments": "composer.googleapis.com/Environment",
    "keyRings": "cloudkms.googleapis.com/KeyRing",
    "keys": "iam.googleapis.com/ServiceAccountKey",
    "metrics": "logging.googleapis.com/LogMetric",
    "secrets": "secretmanager.googleapis.com/Secret",
    "serviceAccounts": "iam.googleapis.com/ServiceAccount",
    "accounts": "iam.googleapis.com/ServiceAccount",
    "sinks": "logging.googleapis.com/LogSink",
    "subscriptions": "pubsub.googleapis.com/Subscription",
    "topics": "pubsub.googleapis.com/Topic",
}
"""Asset types by the last collection in a resource's name, as answers without `kind` have it, and by the list's key."""

_SERVICES = {
    "admin": "Google Workspace",
    "aiplatform": "Google Vertex AI",
    "apikeys": "Google API Keys",
    "appengine": "Google App Engine",
    "bigquery": "Google BigQuery",
    "bigtableadmin": "Google Cloud Bigtable",
    "cloudfunctions": "Google Cloud Function",
    "cloudkms": "Google Cloud KMS",
    "cloudresourcemanager": "Google Resource Manager",
    "composer": "Google Cloud Composer",
    "compute": "Google Compute Engine",
    "container": "Google Kubernetes Engine",
    "dataproc": "Google Dataproc Clusters",
    "dns": "Google Cloud DNS",
    "file": "Google Cloud Filestore",
    "iam": "Google Cloud IAM",
    "logging": "Google Stackdriver Logging",
    "memcache": "Google Cloud Memorystore",
    "monitoring": "Google Stackdriver Monitoring",
    "notebooks": "Google Vertex AI",
    "pubsub": "Google Cloud Pub/Sub",
    "redis": "Google Cloud Memorystore",
    "run": "Google Cloud Run",
    "secretmanager": "Google Secrets Manager",
    "serviceusage": "Google Service Usage",
    "spanner": "Google Cloud Spanner",
    "sql": "Google Cloud SQL",
    "sqladmin": "Google Cloud SQL",
    "storage": "Google Cloud Storage",
}

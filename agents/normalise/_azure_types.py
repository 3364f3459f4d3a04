"""What is known of Azure's resource types: Prisma's api.name for each, and what RQL calls its service."""

from agents.normalise._rows import words


def api_name_of(resource_type: str) -> str:
    """Return the api.name of a type, spelt in any case. One that isn't known gets a name made of its own."""
    lowered = resource_type.lower()
    if known := API_NAMES.get(lowered):
        return known
    namespace, _, rest = lowered.partition("/")
    made = words(f"{namespace.removeprefix('microsoft.')} {rest.replace('/', ' ')}")
    return f"azure-{made}" if made else "azure-unknown"


def service_of(resource_type: str) -> str:
    """Return what RQL calls cloud.service; for a namespace that isn't known, the namespace."""
    namespace = resource_type.partition("/")[0]
    return _SERVICES.get(namespace.lower(), namespace)


_AUTHORIZATION = {
    "microsoft.authorization/locks": "azure-lock-list",
    "microsoft.authorization/policyassignments": "azure-policy-assignments",
    "microsoft.authorization/roleassignments": "azure-role-assignment",
    "microsoft.authorization/roledefinitions": "azure-role-definition",
}
_COMPUTE = {
    "microsoft.appplatform/spring": "azure-spring-cloud-service",
    "microsoft.appplatform/spring/apps": "azure-spring-cloud-app",
    "microsoft.batch/batchaccounts": "azure-batch-account",
    "microsoft.compute/availabilitysets": "azure-availability-set",
    "microsoft.compute/disks": "azure-disk-list",
    "microsoft.compute/snapshots": "azure-snapshot-list",
    "microsoft.compute/virtualmachines": "azure-vm-list",
    "microsoft.compute/virtualmachinescalesets": "azure-virtual-machine-scale-set",
    "microsoft.containerinstance/containergroups": "azure-container-instances-container-group",
    "microsoft.containerregistry/registries": "azure-container-registry",
    "microsoft.containerservice/managedclusters": "azure-kubernetes-cluster",
    "microsoft.desktopvirtualization/hostpools/sessionhosts": "azure-virtual-desktop-session-host",
    "microsoft.desktopvirtualization/workspaces": "azure-virtual-desktop-workspace",
    "microsoft.servicefabric/clusters": "azure-service-fabric-cluster",
    "microsoft.web/hostingenvironments": "azure-app-service-environment",
    "microsoft.web/sites": "azure-app-service",
    "microsoft.web/sites/basicpublishingcredentialspolicies": "azure-app-service-basic-publishing-credentials-policies",
    "microsoft.web/sites/config": "azure-app-service-web-apps-configurations",
}
_DATA = {
    "microsoft.cache/redis": "azure-cache-redis",
    "microsoft.datafactory/factories": "azure-data-factory-v2",
    "microsoft.dbformariadb/servers": "azure-database-maria-db-server",
    "microsoft.dbformysql/flexibleservers": "azure-mysql-flexible-server",
    "microsoft.dbformysql/servers": "azure-mysql-server",
    "microsoft.dbforpostgresql/flexibleservers": "azure-postgresql-flexible-server",
    "microsoft.dbforpostgresql/servers": "azure-postgresql-server",
    "microsoft.documentdb/cassandraclusters": "azure-documentdb-cassandra-clusters",
    "microsoft.documentdb/databaseaccounts": "azure-cosmos-db",
    "microsoft.kusto/clusters": "azure-kusto-clusters",
    "microsoft.recoveryservices/vaults": "azure-recovery-service-vault",
    "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems": (
        "azure-recovery-service-backup-protected-item"
    ),
    "microsoft.sql/managedinstances": "azure-sql-managed-instance",
    "microsoft.sql/servers": "azure-sql-server-list",
    "microsoft.sql/servers/databases": "azure-sql-db-list",
    "microsoft.storage/storageaccounts": "azure-storage-account-list",
    "microsoft.storage/storageaccounts/fileservices/shares": "azure-storage-file-shares",
    "microsoft.storagesync/storagesyncservices": "azure-storage-sync-service",
    "microsoft.synapse/workspaces": "azure-synapse-workspace",
}
_DIRECTORY = {
    "microsoft.graph/authorizationpolicy": "azure-active-directory-authorization-policy",
    "microsoft.graph/conditionalaccesspolicies": "azure-active-directory-conditional-access-policy",
    "microsoft.graph/groups": "azure-active-directory-group",
    "microsoft.graph/groupsettings": "azure-active-directory-group-settings",
    "microsoft.graph/identitysecuritydefaultsenforcementpolicy": "azure-active-directory-enforcement-policy",
    "microsoft.graph/serviceprincipals": "azure-active-directory-service-principal",
    "microsoft.graph/userregistrationdetails": "azure-active-directory-user-registration-details",
    "microsoft.graph/users": "azure-active-directory-user",
}
_INTEGRATION = {
    "microsoft.automation/automationaccounts": "azure-automation-account",
    "microsoft.cdn/profiles/endpoints": "azure-cdn-endpoint",
    "microsoft.cognitiveservices/accounts": "azure-cognitive-services-account",
    "microsoft.devices/iothubs": "azure-devices-iot-hub-resource",
    "microsoft.eventhub/namespaces": "azure-event-hub-namespace",
    "microsoft.eventhub/namespaces/eventhubs": "azure-event-hub",
    "microsoft.keyvault/vaults": "azure-key-vault-list",
    "microsoft.logic/workflows": "azure-logic-app-workflow",
    "microsoft.machinelearningservices/workspaces": "azure-machine-learning-workspace",
    "microsoft.machinelearningservices/workspaces/computes": "azure-machine-learning-compute",
    "microsoft.machinelearningservices/workspaces/datastores": "azure-machine-learning-datastores",
    "microsoft.servicebus/namespaces": "azure-service-bus-namespace",
}
_MONITORING = {
    "microsoft.insights/activitylogalerts": "azure-activity-log-alerts",
    "microsoft.insights/components": "azure-application-insights-component",
    "microsoft.insights/diagnosticsettings": "azure-monitor-diagnostic-settings",
    "microsoft.insights/logprofiles": "azure-monitor-log-profiles-list",
    "microsoft.operationalinsights/workspaces": "azure-log-analytics-workspace",
    "microsoft.operationalinsights/workspaces/linkedstorageaccounts": "azure-log-analytics-linked-storage-accounts",
    "microsoft.resources/resourcegroups": "azure-resource-group",
    "microsoft.resources/subscriptions/resourcegroups": "azure-resource-group",
    "microsoft.security/iotsecuritysolutions": "azure-iot-security-solutions",
    "microsoft.subscription/policies": "azure-subscription-tenantpolicy",
    "microsoft.synapse/workspaces/managedsqlserver/vulnerabilityassessments": (
        "azure-synapse-workspace-managed-sql-server-vulnerability-assessments"
    ),
}
_NETWORK = {
    "microsoft.network/applicationgateways": "azure-application-gateway",
    "microsoft.network/applicationgatewaywebapplicationfirewallpolicies": "azure-application-gateway-waf-policy",
    "microsoft.network/connections": "azure-network-vpn-connection-list",
    "microsoft.network/frontdoors": "azure-frontdoor",
    "microsoft.network/frontdoorwebapplicationfirewallpolicies": "azure-frontdoor-waf-policy",
    "microsoft.network/loadbalancers": "azure-network-lb-list",
    "microsoft.network/networkinterfaces": "azure-network-nic-list",
    "microsoft.network/networksecuritygroups": "azure-network-nsg-list",
    "microsoft.network/networkwatchers": "azure-network-watcher-list",
    "microsoft.network/publicipaddresses": "azure-network-public-ip-address",
    "microsoft.network/routetables": "azure-network-route-table",
    "microsoft.network/virtualnetworks": "azure-network-vnet-list",
    "microsoft.network/virtualnetworks/subnets": "azure-network-subnet-list",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "azure-network-peering",
} | {
    f"microsoft.network/{zone}/{record}": "azure-dns-recordsets"
    for zone in ("dnszones", "privatednszones")
    for record in ("a", "aaaa", "caa", "cname", "mx", "ns", "ptr", "soa", "srv", "txt")
}

API_NAMES = _AUTHORIZATION | _COMPUTE | _DATA | _DIRECTORY | _INTEGRATION | _MONITORING | _NETWORK
"""api.name by resource type in lower case. Security Center's settings aren't here: they are one document of several
types for a subscription, which `_azure_security.py` puts together."""

_SERVICES = {
    "microsoft.appplatform": "Azure Spring Apps",
    "microsoft.authorization": "Azure Authorization",
    "microsoft.automation": "Azure Automation",
    "microsoft.batch": "Azure Batch",
    "microsoft.cache": "Azure Cache for Redis",
    "microsoft.cdn": "Azure CDN",
    "microsoft.cognitiveservices": "Azure Cognitive Services",
    "microsoft.compute": "Azure Compute",
    "microsoft.containerinstance": "Azure Container Instances",
    "microsoft.containerregistry": "Azure Container Registry",
    "microsoft.containerservice": "Azure Kubernetes Service",
    "microsoft.datafactory": "Azure Data Factory",
    "microsoft.dbformariadb": "Azure Database for MariaDB",
    "microsoft.dbformysql": "Azure Database for MySQL",
    "microsoft.dbforpostgresql": "Azure Database for PostgreSQL",
    "microsoft.desktopvirtualization": "Azure Virtual Desktop",
    "microsoft.devices": "Azure IoT Hub",
    "microsoft.documentdb": "Azure Cosmos DB",
    "microsoft.eventhub": "Azure Event Hubs",
    "microsoft.graph": "Azure Active Directory",
    "microsoft.insights": "Azure Monitor",
    "microsoft.keyvault": "Azure Key Vault",
    "microsoft.kusto": "Azure Data Explorer",
    "microsoft.machinelearningservices": "Azure Machine Learning",
    "microsoft.network": "Azure Virtual Network",
    "microsoft.operationalinsights": "Azure Log Analytics",
    "microsoft.recoveryservices": "Azure Recovery Services",
    "microsoft.resources": "Azure Resource Manager",
    "microsoft.security": "Azure Security Center",
    "microsoft.servicebus": "Azure Service Bus",
    "microsoft.servicefabric": "Azure Service Fabric",
    "microsoft.sql": "Azure SQL Database",
    "microsoft.storage": "Azure Storage",
    "microsoft.storagesync": "Azure Storage Sync",
    "microsoft.synapse": "Azure Synapse Analytics",
    "microsoft.web": "Azure App Service",
}

"""Buckets: Prisma's one document from the answers of many S3 calls, or from AWS Config's supplements."""

from typing import Any

from agents.normalise._aws_shape import document, shaped, tag_map


def bucket(raw: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the document of aws-s3api-get-bucket-acl.

    *raw* is an object of S3 answers (`{"Bucket": {"Name"}, "Acl", "Policy", "Logging", ...}`), or AWS Config's
    configuration with *more*, its supplementary configuration, decoded.
    """
    parts = {
        _PARTS[name]: value for name, value in (*raw.items(), *more.items()) if name in _PARTS and value is not None
    }
    head = _object(shaped(parts.pop("bucket", None) or raw))
    result: dict[str, Any] = {"bucketName": head.get("name", head.get("bucketName"))}
    for name in ("creationDate", "owner", "region"):
        if name in head:
            result[name] = head[name]
    if type(location := parts.pop("location", None)) is dict:
        result["location"] = location.get("LocationConstraint") or "us-east-1"
    acl = parts.pop("acl", None)
    if type(acl) is dict:
        result["acl"] = _acl(acl)
        result.setdefault("owner", result["acl"]["owner"])
    policy = _policy(parts.pop("policy", None))
    result["policyAvailable"] = type(policy) is dict
    statements = _list(policy.get("Statement")) if type(policy) is dict else []
    result["denyUnencryptedUploadsPolicies"] = [one for one in statements if _denies_unencrypted_uploads(one)]
    if policy is not None:
        result["policy"] = policy
    encryption = parts.pop("encryption", None)
    result["sseAlgorithm"] = _algorithm(encryption)
    if encryption:
        result["serverSideEncryptionConfiguration"] = _encryption(encryption)
    logging = _object(_inner(shaped(parts.pop("logging", None)), "loggingEnabled"))
    result["loggingConfiguration"] = {
        _LOGGING.get(name, name): value for name, value in logging.items() if value is not None
    }
    versioning = _object(shaped(parts.pop("versioning", None)))
    result["versioningConfiguration"] = {"status": versioning.get("status") or "Off"} | (
        {"mfaDelete": versioning["mfadelete"]} if "mfadelete" in versioning else {}
    )
    if tags := parts.pop("tags", None):
        result["tagSets"] = _tags(tags)
    for name, value in parts.items():
        result[name] = _inner(shaped(value), name)
    return result


def _acl(acl: dict[str, Any]) -> dict[str, Any]:
    """Return an access control list as Java's SDK has it, from S3's answer or from AWS Config's rendering of Java's."""
    inner = shaped(acl)
    grants = _list(inner.get("grants") or inner.get("grantList") or inner.get("grantSet"))
    listed = [
        {
            "grantee": _grantee(one.get("grantee")),
            "permission": _PERMISSIONS.get(str(one.get("permission")), one.get("permission")),
        }
        for one in grants
        if type(one) is dict
    ]
    return {"owner": inner.get("owner") or {}, "grants": listed, "grantsAsList": listed}


def _grantee(grantee: Any) -> Any:
    """Return a group as its word, such as AllUsers, and anybody else as an object with `identifier`."""
    if type(grantee) is not dict:
        return grantee
    uri = grantee.get("uri")
    if type(uri) is str and uri:
        return uri.rpartition("/")[2]
    by_mail = type(grantee.get("emailAddress")) is str
    found = {
        "identifier": grantee.get("emailAddress") if by_mail else grantee.get("id"),
        "typeIdentifier": "emailAddress" if by_mail else "id",
        "displayName": grantee.get("displayName"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _policy(policy: Any) -> Any:
    if type(policy) is str:
        return document(policy)
    if type(policy) is dict and "Statement" not in policy:  # S3's answer, or AWS Config's
        return _policy(policy.get("Policy", policy.get("policyText")))
    return policy


def _algorithm(encryption: Any) -> str:
    """Return the default encryption, `None` where there is none: a word in Prisma's documents."""
    for rule in _list(_encryption(encryption).get("rules")):
        by_default = rule.get("applyServerSideEncryptionByDefault") if type(rule) is dict else None
        if type(by_default) is dict:
            return str(by_default.get("sseAlgorithm") or "None")
    return "None"


def _encryption(encryption: Any) -> dict[str, Any]:
    """Return the default encryption's rules, spelt as AWS Config does it."""
    found = _object(_inner(shaped(encryption), "serverSideEncryptionConfiguration"))
    return {
        name: [
            {
                key: _respelt(inner) if key == "applyServerSideEncryptionByDefault" else inner
                for key, inner in one.items()
            }
            if type(one) is dict
            else one
            for one in value
        ]
        if name == "rules" and type(value) is list
        else value
        for name, value in found.items()
    }


def _respelt(by_default: Any) -> Any:
    if type(by_default) is not dict:
        return by_default
    return {_ENCRYPTION.get(name, name): value for name, value in by_default.items()}


def _denies_unencrypted_uploads(statement: Any) -> bool:
    return (
        type(statement) is dict
        and statement.get("Effect") == "Deny"
        and "s3:PutObject" in _list(statement.get("Action"))
        and "s3:x-amz-server-side-encryption" in str(statement.get("Condition"))
    )


def _tags(tags: Any) -> dict[str, str]:
    """Return the tags from S3's TagSet, or from AWS Config's list of maps."""
    if type(tags) is not dict:
        return tag_map(tags)
    for one in _list(tags.get("tagSets")):
        if type(one) is dict and type(one.get("tags")) is dict:
            return tag_map(one["tags"])
    return tag_map(tags.get("TagSet", tags.get("tagSet", {} if "tagSets" in tags else tags)))


def _inner(value: Any, name: str) -> Any:
    """Return what an answer wraps in a key of its own name."""
    return value[name] if type(value) is dict and type(value.get(name)) is dict else value


def _object(value: Any) -> dict[str, Any]:
    """Return an object, an empty one for anything else: a part that can't be read must not cost the bucket."""
    return value if type(value) is dict else {}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if type(value) is list else [value]


_PARTS = {
    "Bucket": "bucket",
    "Location": "location",
    "Acl": "acl",
    "AccessControlList": "acl",
    "Policy": "policy",
    "BucketPolicy": "policy",
    "PolicyStatus": "policyStatus",
    "Encryption": "encryption",
    "ServerSideEncryptionConfiguration": "encryption",
    "Logging": "logging",
    "BucketLoggingConfiguration": "logging",
    "Versioning": "versioning",
    "BucketVersioningConfiguration": "versioning",
    "Tagging": "tags",
    "Tags": "tags",
    "BucketTaggingConfiguration": "tags",
    "PublicAccessBlock": "publicAccessBlockConfiguration",
    "PublicAccessBlockConfiguration": "publicAccessBlockConfiguration",
    "AccountLevelPublicAccessBlock": "accountLevelPublicAccessBlockConfiguration",
    "Website": "websiteConfiguration",
    "BucketWebsiteConfiguration": "websiteConfiguration",
    "Lifecycle": "lifecycleConfiguration",
    "LifecycleConfiguration": "lifecycleConfiguration",
    "BucketLifecycleConfiguration": "lifecycleConfiguration",
    "Replication": "replicationConfiguration",
    "BucketReplicationConfiguration": "replicationConfiguration",
    "NotificationConfiguration": "notificationConfiguration",
    "BucketNotificationConfiguration": "notificationConfiguration",
    "BucketAccelerateConfiguration": "accelerateConfiguration",
    "InventoryConfigurations": "inventoryConfigurations",
    "IsRequesterPaysEnabled": "isRequesterPaysEnabled",
    "ObjectLockConfiguration": "objectLockConfiguration",
    "OwnershipControls": "ownershipControls",
}
"""What S3's answers and AWS Config's supplements are called, and where Prisma has them."""
_PERMISSIONS = {
    "FULL_CONTROL": "FullControl",
    "READ": "Read",
    "WRITE": "Write",
    "READ_ACP": "ReadAcp",
    "WRITE_ACP": "WriteAcp",
}
_ENCRYPTION = {"ssealgorithm": "sseAlgorithm", "kmsmasterKeyID": "kmsMasterKeyID"}
_LOGGING = {"destinationBucketName": "targetBucket", "logFilePrefix": "targetPrefix"}

"""Fill a store with made-up rows, fast: AWS instances and security groups, and GuardDuty findings that name the instances.

The rows are as if `Store.apply` had stored their records; the test of this module holds it to that.
"""

# ruff: noqa: E501 - the templates of JSON read better on long lines

from collections.abc import Iterator

from streams.store import Store

CHUNK = 250_000
"""Rows of one transaction: more than a row group, or all of it goes through the write-ahead log first."""


def fill(
    store: Store,
    *,
    resources: int = 0,
    findings: int = 0,
    part: int = 0,
    accounts: int = 200,
    record_bytes: int = 2_500,
    keep_records: bool = True,
) -> None:
    """Add *resources* and *findings* to partition *part* of a store that has none there, and take a checkpoint.

    Every second resource is an instance, the others are security groups, of about 1.5 KB. A finding's record is padded to
    *record_bytes*. Without *keep_records* the records are left out: what queries ask is the same, the file is smaller.
    """
    db = store.cursor()
    try:
        for begin, end in _chunks(resources):
            db.execute("begin")
            db.execute(f"create or replace temp table made as {_RESOURCES}", [begin, end, accounts])
            db.execute(_INSERT_RESOURCES, [part])
            if keep_records:
                db.execute(_INSERT_RESOURCE_RECORDS, [part])
            db.execute(
                "insert into resource_keys select md5_number_lower(rrn), ?, unnest(hashes) from made",
                [part],
            )
            db.execute("commit")
        for begin, end in _chunks(findings):
            db.execute("begin")
            db.execute(
                f"create or replace temp table made as {_FINDINGS}", [begin, end, accounts, max(resources // 2, 1)]
            )
            db.execute(_INSERT_FINDINGS, [part])
            if keep_records:
                db.execute(_INSERT_FINDING_RECORDS, [part, record_bytes])
            db.execute("insert into finding_references select fid, ?, unnest(hashes) from made", [part])
            db.execute("commit")
        db.execute("drop table if exists made")
        db.execute(
            """insert into finding_resource
            select distinct fid, rid, part from finding_references join resource_keys using (key, part) where part = ?""",
            [part],
        )
        for kind, count in (("resources", resources), ("findings", findings)):
            if count:
                db.execute(
                    "insert into partitions values ($1, $1, $2, $3, null, null, now() at time zone 'UTC')",
                    [kind, part, count],
                )
    finally:
        db.close()
    store.checkpoint()
    store.reload()


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, count, CHUNK):
        yield begin, min(begin + CHUNK, count)


# Instance j has account j % accounts; a finding names the instance that it is about by id and by ARN.
_INSTANCE = """
    lpad((j % $3)::VARCHAR, 12, '1') as account, 'i-0' || lower(hex(hash(j))) as instance,
    ['us-east-1', 'eu-west-1', 'us-west-2', 'ap-southeast-2'][j % 4 + 1] as region,
    'arn:aws:ec2:' || region || ':' || account || ':instance/' || instance as arn"""

_VERSION = (
    "lpad(t::VARCHAR, 15, '0') || '.00000000000000000000.raw.{0}.00001.' || lpad(i::VARCHAR, 15, '0') || '.000000'"
)

_RESOURCES = f"""
    with base as (
        select i, i // 2 as j, i % 2 = 0 as is_instance, 1700000000000 + i * 1000 as t, lower(hex(hash(i + 1))) as h, {_INSTANCE}
        from range($1, $2) r(i)),
    named as (
        select *, 'sg-0' || h as sg, if(is_instance, instance, sg) as id,
            if(is_instance, 'aws-ec2-describe-instances', 'aws-ec2-describe-security-groups') as api_name,
            if(is_instance, [instance, arn], [sg]) as keys
        from base)
    select *, 'rrn:aws:' || api_name || ':' || region || ':' || account || ':' || h[:10] || ':' || id as rrn,
        {_VERSION.format("configs.aws")} as version,
        [md5_number_lower(account || '|' || lower(k)) for k in keys] as hashes,
        if(is_instance,
            '{{"instanceId":"' || instance || '","instanceType":"' || ['t3.micro', 'm5.large', 'c5.xlarge'][i % 3 + 1]
            || '","imageId":"ami-0' || h || '","launchTime":"2026-0' || (i % 9 + 1) || '-11T10:00:00Z","vpcId":"vpc-0' || (i % 977)
            || '","subnetId":"subnet-0' || (i % 4999) || '","publicIpAddress":' || if(i % 5 = 0, '"198.51.100.7"', 'null')
            || ',"state":{{"code":16,"name":"' || if(i % 7 = 0, 'stopped', 'running') || '"}},"monitoring":{{"state":"disabled"}}'
            || ',"metadataOptions":{{"httpTokens":"' || if(i % 3 = 0, 'optional', 'required') || '","httpEndpoint":"enabled"}}'
            || ',"securityGroups":[{{"groupId":"sg-0' || h || '","groupName":"web-' || (i % 100) || '"}}],"blockDeviceMappings":['
            || array_to_string([('{{"deviceName":"/dev/sd' || d || '","ebs":{{"attachTime":"2026-01-11T10:00:00Z","status":"attached",'
            || '"deleteOnTermination":true,"volumeId":"vol-0' || lower(hex(hash(i + ascii(d)))) || '"}}}}') for d in ['a', 'b', 'c', 'd']], ',')
            || '],"networkInterfaces":[{{"networkInterfaceId":"eni-0' || h || '","macAddress":"06:' || h[:2] || ':' || h[3:4]
            || ':00:00:01","privateIpAddress":"10.' || (i % 250) || '.0.9","sourceDestCheck":true,"status":"in-use"}}],"tags":[{{"key":"Name","value":"host-'
            || h || '"}},{{"key":"team","value":"team-' || (i % 30) || '"}}]}}',
            '{{"groupId":"' || sg || '","groupName":"web-' || (i % 100) || '","description":"made by bench","ownerId":"' || account
            || '","vpcId":"vpc-0' || (i % 977) || '","isShared":false,"ipPermissions":['
            || array_to_string([('{{"ipProtocol":"tcp","fromPort":' || p || ',"toPort":' || p || ',"ipRanges":["'
            || if((i + p) % 11 = 0, '0.0.0.0/0', '10.' || ((i + p) % 250) || '.0.0/16') || '"],"ipv4Ranges":[{{"cidrIp":"'
            || if((i + p) % 11 = 0, '0.0.0.0/0', '10.' || ((i + p) % 250) || '.0.0/16') || '","description":"rule ' || h
            || '"}}],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}}') for p in [22, 80, 443, 3306, 5432, 8080]], ',')
            || '],"ipPermissionsEgress":[{{"ipProtocol":"-1","ipRanges":["0.0.0.0/0"],"ipv6Ranges":[]}}],"tags":[{{"key":"team","value":"team-'
            || (i % 30) || '"}}]}}') as config
    from named"""

_INSERT_RESOURCES = """
    insert into resources by name
    select md5_number_lower(rrn) rid, ?::USMALLINT part, rrn, account, 'aws' cloud, region, 'Amazon EC2' service, api_name,
        if(is_instance, 'AWS::EC2::Instance', 'AWS::EC2::SecurityGroup') resource_type, id,
        if(is_instance, 'host-' || h, 'web-' || (i % 100)) as name, '{"team":"team-' || (i % 30) || '"}' tags,
        make_timestamp(1000 * t) created, make_timestamp(1000 * t) seen, false deleted, version, config as json, '' as parts
    from made"""

_INSERT_RESOURCE_RECORDS = """
    insert into resource_records
    select md5_number_lower(rrn), ?, md5_number_upper(rrn), version, hash(account, keys),
        '{"rrn":"' || rrn || '","account":"' || account || '","cloud":"aws","region":"' || region || '","api_name":"' || api_name
        || '","service":"Amazon EC2","resource_type":"' || if(is_instance, 'AWS::EC2::Instance', 'AWS::EC2::SecurityGroup')
        || '","id":"' || id || '","name":"' || if(is_instance, 'host-' || h, 'web-' || (i % 100)) || '","keys":'
        || to_json(keys) || ',"tags":{"team":"team-' || (i % 30) || '"},"created":' || t || ',"version":"' || version
        || '","deleted":false,"config":' || config || ',"original":' || config || '}'
    from made"""

_FINDINGS = f"""
    with base as (
        select i, i % $4 as j, 1750000000000 + i * 100 as t, lower(hex(hash(i))) || lower(hex(hash(i + 7))) as id, {_INSTANCE}
        from range($1, $2) r(i))
    select *, account || '|' || id as key, md5_number_lower(key) as fid, {_VERSION.format("findings.guardduty")} as version,
        [{{'id': instance, 'type': 'Instance'}}, {{'id': arn, 'type': 'AwsEc2Instance'}}] as named,
        [md5_number_lower(account || '|' || lower(n.id)) for n in named] as hashes,
        ['UnauthorizedAccess:EC2/SSHBruteForce', 'Recon:EC2/PortProbeUnprotectedPort', 'CryptoCurrency:EC2/BitcoinTool.B!DNS',
            'Backdoor:EC2/C&CActivity.B', 'Trojan:EC2/DNSDataExfiltration'][i % 5 + 1] as name,
        ['low', 'medium', 'high'][i % 3 + 1] as severity, (i % 90) / 10.0 as score,
        name || ' on ' || instance as title,
        'Instance ' || instance || ' behaves as ' || name || ': a remote host, ' || (i % 223) || '.0.2.' || (i % 251) || ', was seen.' as description
    from base"""

_INSERT_FINDINGS = """
    insert into findings by name
    select fid, ?::USMALLINT part, id, account, 'aws' cloud, region, 'AWS GuardDuty' source, 'AWS GuardDuty Host' as type, name,
        []::VARCHAR[] cves, severity, score::VARCHAR vendor_severity, score, title, description, '' remediation, 'open' status,
        make_timestamp(1000 * t) first_seen, make_timestamp(1000 * t) last_seen, named as "references", false deleted, version,
        '' as status_reason, '' as asset, '' as knowledge, '{}' as linked, [] as cvss, [] as packages
    from made"""

_INSERT_FINDING_RECORDS = """
    insert into finding_records
    select fid, $1, md5_number_upper(key), version, hash(account, named), record || repeat(filler, greatest($2 - length(record), 0) // length(filler)) || '"}}'
    from (select *, id || ' seen at ' || t || ', ' as filler,
        '{"id":"' || id || '","account":"' || account || '","cloud":"aws","region":"' || region || '","source":"AWS GuardDuty",'
        || '"type":"AWS GuardDuty Host","name":"' || name || '","cves":[],"severity":"' || severity || '","vendor_severity":"' || score
        || '","score":' || score || ',"title":"' || title || '","description":"' || description || '","remediation":"","status":"open",'
        || '"first_seen":' || t || ',"last_seen":' || t || ',"references":' || to_json(named) || ',"version":"' || version
        || '","deleted":false,"original":{"SchemaVersion":"2.0","AccountId":"' || account || '","Region":"' || region || '","Id":"' || id
        || '","Arn":"arn:aws:guardduty:' || region || ':' || account || ':detector/' || lower(hex(hash(j % 50))) || '/finding/' || id
        || '","Type":"' || name || '","Resource":{"ResourceType":"Instance","InstanceDetails":{"InstanceId":"' || instance
        || '","InstanceType":"m3.xlarge","LaunchTime":"2026-01-01T00:00:00Z","Tags":[{"Key":"team","Value":"t' || (i % 30)
        || '"}],"NetworkInterfaces":[{"NetworkInterfaceId":"eni-' || lower(hex(hash(i + 4))) || '","PrivateIpAddress":"10.0.'
        || (i % 255) || '.1","PublicIp":"198.51.100.' || (i % 200) || '","SubnetId":"subnet-' || (i % 4999) || '","VpcId":"vpc-' || (i % 977)
        || '","SecurityGroups":[{"GroupName":"web-' || (i % 100) || '","GroupId":"sg-' || lower(hex(hash(i % 7777))) || '"}]}]}},'
        || '"Service":{"ServiceName":"guardduty","Action":{"ActionType":"NETWORK_CONNECTION","NetworkConnectionAction":{'
        || '"ConnectionDirection":"INBOUND","RemoteIpDetails":{"IpAddressV4":"' || (i % 223) || '.0.2.' || (i % 251)
        || '","Country":{"CountryName":"Sweden"},"City":{"CityName":"Stockholm"}},"LocalPortDetails":{"Port":22,"PortName":"SSH"},'
        || '"Protocol":"TCP","Blocked":false}},"Archived":false,"Count":' || (i % 40) || '},"Severity":' || score
        || ',"UpdatedAt":"2026-05-01T01:00:00.000Z","Note":"' as record
        from made)"""

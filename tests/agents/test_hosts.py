"""Scanners' hosts that no identifier of a cloud tells: linked by host name or private address, in its time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.hosts import NONE, SAME_ADDRESS, SAME_NAME, Machine, machine_of, machines_of, told
from agents.normalise import NORMALISERS
from streams.identity import Place
from streams.partition import partition_of
from streams.records import Resource, VendorAsset
from streams.store import Part, hosts, vendor
from streams.store.hosts import Row
from tests.agents.test_link import ACCOUNT, OTHER, PARTS, Flow, asset, finding
from tests.streams.store_records import version

DAY = 86_400_000
BOOT = 1_700_000_000_000
"""When the first machine was made, in ms since 1970."""


class World(Flow):
    """A flow whose owners also say which machines hosts are."""

    now = 2_000_000_000_000

    def machine(self, id: str, n: int, ip: str, *, made: int = BOOT, name: str = "", **more: Any) -> None:
        account = more.get("account", ACCOUNT)
        record = {
            "rrn": f"rrn:{account}:{id}",
            "account": account,
            "cloud": "aws",
            "region": "eu-west-1",
            "api_name": "aws-ec2-describe-instances",
            "id": id,
            "keys": [id],
            "created": made,
            "version": version(n),
            "config": {"privateIpAddress": ip, "privateDnsName": name},
        } | more
        part = partition_of(account, PARTS)
        at = self._offsets.get(part + 100, 0)
        self._offsets[part + 100] = at + 1
        key = record["rrn"].encode()
        self.store.apply([Part("resources", "resources", part, at, at + 1, [(at, key, orjson.dumps(record))])])

    def settle(self) -> None:
        """As the owners do, until nothing is left to say."""
        for _ in range(5):
            with self.store.cursor() as cursor:
                asked = hosts.asked(cursor)
                machines = machines_of(hosts.machines(cursor, {each["account"] for each in asked.assets}))
            held = {each["ids"][0]: each for each in asked.held}
            said = [
                told(each, machine_of(each, machines.get(each["account"], [])), held.get(each["id"]), self.now)
                for each in asked.assets
            ]
            new = [each for each in said if each is not None]
            for record in new:
                self.tell("assets", orjson.loads(orjson.dumps(record)))
            if not self.own() and not new:
                return
        raise AssertionError("it doesn't come to rest")

    def links(self) -> set[tuple[str, str]]:
        with self.store.cursor() as cursor:
            return set(
                cursor.execute("""select f.id, r.id from finding_resource join findings f using (fid, part)
                join resources r using (rid, part)""").fetchall()
            )

    def reasons(self) -> dict[str, int]:
        with self.store.cursor() as cursor:
            return dict(vendor.unlinked(cursor))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "s.duckdb")
    yield made
    made.store.close()


def host(n: int = 1, **more: Any) -> dict[str, Any]:
    where = {"account": ACCOUNT, "cloud": "aws", "region": "eu-west-1"}
    return asset("host:1", n, hostnames=["web1.corp.example"], addresses=["10.0.0.5", "203.0.113.9"], **where) | more


def found(id: str = "q:1", n: int = 5, seen: int = BOOT + DAY) -> dict[str, Any]:
    return finding(n, id=id, knowledge="", last_seen=seen)


def test_a_finding_may_name_the_asset_by_another_of_its_ids(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.5")
    world.tell("assets", asset("host:1"))
    world.tell("assets", host(id="asset:2", ids=["host:1"]))
    world.find(found())
    world.settle()
    assert world.links() == {("q:1", "i-1")}


@pytest.mark.parametrize("order", ["machine host found", "found host machine", "host found machine"])
def test_a_private_address_links_whichever_comes_first(world: World, order: str) -> None:
    does = {
        "machine": lambda: world.machine("i-1", 1, "10.0.0.5"),
        "host": lambda: world.tell("assets", host()),
        "found": lambda: world.find(found()),
    }
    for what in order.split():
        does[what]()
        world.settle()
    assert world.links() == {("q:1", "i-1")}
    assert world.reasons() == {}


def test_the_next_scan_of_a_host_is_linked_as_it_comes(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.5")
    world.tell("assets", host())
    world.settle()
    world.find(found())
    assert world.links() == {("q:1", "i-1")}  # before any owner has looked


def test_an_address_that_has_another_machine_now_does_not_inherit(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.5")
    world.tell("assets", host())
    world.find(found("q:old"))
    world.settle()
    assert world.links() == {("q:old", "i-1")}
    world.machine("i-1", 2, "10.0.0.5", deleted=True)
    world.machine("i-2", 3, "10.0.0.5", made=BOOT + 2 * DAY)
    world.find(found("q:new", seen=BOOT + 3 * DAY))
    world.settle()
    assert world.links() == {("q:new", "i-2")}
    assert world.reasons() == {"its resource has its host name or address only since then": 1}
    world.find(found("q:old", 6, seen=BOOT + 4 * DAY))  # the scanner saw it again, on the machine that is there
    world.settle()
    assert world.links() == {("q:new", "i-2"), ("q:old", "i-2")}


def test_two_machines_of_one_name_are_told_and_not_linked_until_one_is_gone(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.7", name="web1.corp.example")
    world.machine("i-2", 1, "10.0.0.8", name="web1.corp.example")
    world.tell("assets", host())
    world.find(found())
    world.settle()
    assert (world.links(), world.reasons()) == (set(), {SAME_NAME: 1})
    world.machine("i-2", 2, "10.0.0.8", deleted=True)
    world.settle()
    assert (world.links(), world.reasons()) == ({("q:1", "i-1")}, {})


def test_a_machine_of_another_account_is_not_it(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.5", account=OTHER, name="web1.corp.example")
    world.tell("assets", host())
    world.find(found())
    world.settle()
    assert (world.links(), world.reasons()) == (set(), {"it names no resource": 1})


def test_an_identifier_of_the_cloud_counts_more_than_an_address(world: World) -> None:
    world.machine("i-1", 1, "10.0.0.5")
    world.machine("i-9", 1, "10.0.0.9")
    world.tell("assets", host())
    world.find(found())
    world.settle()
    world.tell("assets", host(9, references=[{"id": "i-9", "type": "Instance"}]))
    world.settle()
    assert world.links() == {("q:1", "i-9")}


def machine(id: str, names: str = "", addresses: str = "") -> Machine:
    return Machine(id, BOOT, frozenset(names.split()), frozenset(addresses.split()))


@pytest.mark.parametrize(
    ("machines", "wanted"),
    [
        ([], (None, NONE)),
        ([machine("a", "web1")], ("a", "host name")),
        ([machine("a", "web1.other.example")], (None, NONE)),
        ([machine("a", "db1", "10.0.0.5"), machine("b", "web1")], ("b", "host name")),
        ([machine("a", "web1", "10.0.0.5"), machine("b", "web1", "10.0.0.6")], ("a", "host name and private address")),
        ([machine("a", "", "10.0.0.5"), machine("b", "", "10.0.0.5")], (None, SAME_ADDRESS)),
        ([machine("a", "", "203.0.113.9")], (None, NONE)),
    ],
    ids=["none", "bare", "domain", "name-first", "both", "same-address", "public"],
)
def test_which_machine_a_host_is(machines: list[Machine], wanted: tuple[str | None, str]) -> None:
    said = machine_of(host(), machines)
    assert (said.machine.id if said.machine else None, said.words) == wanted


def test_machines_of_every_cloud_have_their_names_and_addresses() -> None:
    sent: dict[str, dict[str, Any]] = {
        "aws": {
            "account": ACCOUNT,
            "region": "eu-west-1",
            "resource_type": "AWS::EC2::Instance",
            "config": {
                "InstanceId": "i-1",
                "LaunchTime": "2026-03-01T00:00:00Z",
                "PrivateDnsName": "ip-10-0-0-5.eu-west-1.compute.internal",
                "NetworkInterfaces": [
                    {"PrivateIpAddress": "10.0.0.5", "Attachment": {"AttachTime": "2026-01-01T00:00:00Z"}}
                ],
            },
        },
        "alibaba": {
            "account": "1234567890",
            "region": "cn-beijing",
            "resource_type": "ACS::ECS::Instance",
            "config": {
                "InstanceId": "i-a",
                "HostName": "ali1",
                "CreationTime": "2026-01-01T00:00Z",
                "VpcAttributes": {"PrivateIpAddress": {"IpAddress": ["172.16.0.4"]}},
            },
        },
        "gcp": {
            "name": "//compute.googleapis.com/projects/acme-1/zones/europe-west1-b/instances/web1",
            "assetType": "compute.googleapis.com/Instance",
            "resource": {
                "data": {
                    "name": "web1",
                    "creationTimestamp": "2026-01-01T00:00:00Z",
                    "networkInterfaces": [{"networkIP": "10.1.0.2"}],
                }
            },
        },
    }
    found = {}
    for cloud, item in sent.items():
        (made,) = NORMALISERS[cloud].read(orjson.dumps(item), Place("raw", 0, 0, BOOT))
        assert isinstance(made, Resource)
        row = Row(
            made.account, made.api_name, made.id, made.name, made.created, orjson.loads(orjson.dumps(made.config))
        )
        ((one,),) = machines_of([row]).values()
        assert one.id in made.keys
        found[cloud] = sorted(one.names), sorted(one.addresses), one.since
    first = 1_767_225_600_000
    assert found == {
        "aws": (["ip-10-0-0-5.eu-west-1.compute.internal"], ["10.0.0.5"], first),
        "alibaba": (["ali1"], ["172.16.0.4"], first),
        "gcp": (["web1"], ["10.1.0.2"], first),
    }


def test_azures_machines_have_the_addresses_of_their_interfaces() -> None:
    id = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/web1"
    rows = [
        Row("s", "azure-network-nic-list", "nic", "nic", None, {
            "properties.virtualMachine": {"id": id.replace("virtualmachines", "virtualMachines")},
            "properties.ipConfigurations": [{"properties.privateIPAddress": "10.2.0.4"}],
        }),
        Row("s", "azure-vm-list", id, "web1", BOOT, {"properties.osProfile": {"computerName": "WEB-1"}}),
    ]  # fmt: skip
    assert machines_of(rows) == {"s": [Machine(id, BOOT, frozenset({"web1", "web-1"}), frozenset({"10.2.0.4"}))]}


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ({"aws_owner_id": ACCOUNT}, ("aws", ACCOUNT)),
        ({"fqdns": ["web1.europe-west1-b.c.acme-prod-1.internal"]}, ("gcp", "acme-prod-1")),
        ({"fqdns": ["web1.corp.example"]}, (None, "unlinked")),
    ],
    ids=["owner", "internal", "elsewhere"],
)
def test_an_asset_of_which_only_the_account_is_told_has_it(item: dict[str, Any], wanted: tuple[str, str]) -> None:
    told = {"id": "a-1", "hostnames": ["web1"], "updated_at": "2026-03-01T00:00:00Z", **item}
    (made,) = NORMALISERS["tenable"].read(orjson.dumps(told), Place("raw", 0, 0, BOOT))
    assert isinstance(made, VendorAsset)
    assert (made.cloud, made.account, made.references) == (*wanted, [])


def test_what_was_said_is_said_again_only_above_it() -> None:
    one = machine_of(host(), [machine("a", "web1")])
    first = told(host(), one, None, BOOT)
    assert first is not None
    had = orjson.loads(orjson.dumps(first))
    assert told(host(), one, had, BOOT + 1) is None
    later = told(host(), machine_of(host(), []), had, BOOT - DAY)  # by a clock that is behind
    assert later is not None and later.version > first.version
    assert later.references == []

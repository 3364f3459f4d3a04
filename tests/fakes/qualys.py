"""Qualys: detections page by page with warning 1980, the KnowledgeBase, host assets, and its limits of calls."""

import base64
import re
from urllib.parse import parse_qs

from typing_extensions import override

from agents.connectors.qualys import ASSETS, DETECTIONS, KNOWLEDGE
from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake

LOGIN = {"login": "acme_tg", "password": "correct horse battery staple"}
_DETECTION_ASKS = {
    "action", "status", "host_metadata", "show_igs", "show_qds", "truncation_limit", "detection_updated_since",
    "id_min",
}  # fmt: skip


class Qualys(Fake):
    """Detections by host, each with QID, state and the time of its last change; assets with theirs; rows by QID."""

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.hosts: dict[int, list[tuple[int, str, str]]] = {}
        self.assets: dict[int, str] = {}
        self.rows: dict[int, str] = {}
        self.entitled = True
        """Whether the subscription has the KnowledgeBase."""
        self.asked_qids: list[int] = []

    @override
    def holds(self, alert: str) -> list[str]:
        return []

    @override
    def answer(self, call: Call) -> Reply:
        self.must(call.headers.get("x-requested-with"), "no X-Requested-With")
        right = base64.b64encode(f"{LOGIN['login']}:{LOGIN['password']}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {right}":
            if call.path.startswith("/qps"):
                return _service("INVALID_CREDENTIALS", error="Authentication failed", status=401)
            return _simple(401, "2000", "Bad Login/Password")
        self.must(call.method == "POST", "method")
        if call.path == ASSETS:
            return self._assets(call.body.decode())
        form = {name: values[0] for name, values in parse_qs(call.body.decode(), strict_parsing=True).items()}
        self.must(form.get("action") == "list", "action")
        if call.path == DETECTIONS:
            self.must(not (unknown := form.keys() - _DETECTION_ASKS), f"{unknown}")
            return self._detections(call, form)
        self.must(call.path == KNOWLEDGE, "no such path", 404)
        return self._knowledge(form)

    def _detections(self, call: Call, form: dict[str, str]) -> Reply:
        states = form.get("status", "New,Active,Re-Opened").split(",")
        since = form.get("detection_updated_since", "")
        found = {
            id: [each for each in detections if each[1] in states and each[2] >= since]
            for id, detections in sorted(self.hosts.items())
            if id >= int(form.get("id_min", 0))
        }
        ids = [id for id, detections in found.items() if detections]
        most = int(form.get("truncation_limit", 1000)) or len(ids)
        hosts = "".join(_host(id, found[id]) for id in ids[:most])
        warning = ""
        if ids[most:]:
            url = f"{call.url}?action=list&amp;truncation_limit={most}&amp;id_min={ids[most]}"
            warning = (
                f"<WARNING><CODE>1980</CODE><TEXT>{most} record limit exceeded.</TEXT>"
                f"<URL><![CDATA[{url.replace('&amp;', '&')}]]></URL></WARNING>"
            )
        listed = f"<HOST_LIST>{hosts}</HOST_LIST>" if hosts else ""
        return _xml("HOST_LIST_VM_DETECTION_OUTPUT", f"<DATETIME>2026-03-02T09:40:00Z</DATETIME>{listed}{warning}")

    def _knowledge(self, form: dict[str, str]) -> Reply:
        if not self.entitled:
            return _simple(400, "2012", "User does not have API access to the KnowledgeBase.")
        if "ids" in form:
            ids = [int(each) for each in form["ids"].split(",")]
            self.asked_qids += ids
        else:
            ids = [id for id, changed in self.rows.items() if changed >= form["last_modified_after"]]
        rows = "".join(_row(id, self.rows[id]) for id in ids if id in self.rows)
        return _xml("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", f"<VULN_LIST>{rows}</VULN_LIST>" if rows else "")

    def _assets(self, order: str) -> Reply:
        asks = dict(re.findall(r'<Criteria field="(\w+)" operator="GREATER">([^<]+)</Criteria>', order))
        self.must(asks.keys() <= {"id", "updated"}, "criteria")
        most = re.search(r"<limitResults>(\d+)</limitResults>", order)
        assert most
        ids = [
            id
            for id, updated in sorted(self.assets.items())
            if id > int(asks.get("id", 0)) and updated > asks.get("updated", "")
        ]
        page = ids[: int(most[1])]
        more = f"<hasMoreRecords>{'true' if len(ids) > len(page) else 'false'}</hasMoreRecords>"
        more += f"<lastId>{page[-1]}</lastId>" if len(ids) > len(page) else ""
        return _service("SUCCESS", more + f"<data>{''.join(_asset(id) for id in page)}</data>" if page else more)


def limit(seconds: int) -> Reply:
    """Return the answer above the limit of calls."""
    reply = _simple(409, "1965", "This API cannot be run again until the limit's window has passed.")
    headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0", "x-ratelimit-towait-sec": str(seconds)}
    return Reply(409, {**reply.headers, **headers}, reply.body)


def _xml(root: str, response: str) -> Reply:
    head = f'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE {root} SYSTEM "https://qualysapi.example/{root.lower()}.dtd">'
    text = f"{head}\n<{root}><RESPONSE>{response}</RESPONSE></{root}>"
    return Reply(200, {"content-type": "text/xml", "x-ratelimit-remaining": "298"}, text.encode())


def _simple(status: int, code: str, text: str) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE SIMPLE_RETURN SYSTEM "https://qualysapi.example/s.dtd">\n'
        f"<SIMPLE_RETURN><RESPONSE><DATETIME>2026-03-02T09:40:00Z</DATETIME><CODE>{code}</CODE><TEXT>{text}</TEXT>"
        "</RESPONSE></SIMPLE_RETURN>"
    )
    return Reply(status, {"content-type": "text/xml"}, body.encode())


def _service(code: str, rest: str = "", *, error: str = "", status: int = 200) -> Reply:
    details = f"<responseErrorDetails><errorMessage>{error}</errorMessage></responseErrorDetails>" if error else ""
    text = f"<ServiceResponse><responseCode>{code}</responseCode>{details}{rest}</ServiceResponse>"
    return Reply(status, {"content-type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode())


def _host(id: int, detections: list[tuple[int, str, str]]) -> str:
    made = "".join(
        f"<DETECTION><UNIQUE_VULN_ID>{id}{qid}</UNIQUE_VULN_ID><QID>{qid}</QID><TYPE>Confirmed</TYPE>"
        f"<SEVERITY>4</SEVERITY><STATUS>{state}</STATUS><FIRST_FOUND_DATETIME>2026-01-02T03:04:05Z"
        f"</FIRST_FOUND_DATETIME><LAST_FOUND_DATETIME>{at}</LAST_FOUND_DATETIME>"
        f"<LAST_UPDATE_DATETIME>{at}</LAST_UPDATE_DATETIME></DETECTION>"
        for qid, state, at in detections
    )
    return (
        f"<HOST><ID>{id}</ID><IP>10.0.0.5</IP><TRACKING_METHOD>AGENT</TRACKING_METHOD>"
        f"<DETECTION_LIST>{made}</DETECTION_LIST></HOST>"
    )


def _row(qid: int, changed: str) -> str:
    return (
        f"<VULN><QID>{qid}</QID><VULN_TYPE>Vulnerability</VULN_TYPE><SEVERITY_LEVEL>4</SEVERITY_LEVEL>"
        f"<TITLE><![CDATA[A flaw]]></TITLE><LAST_SERVICE_MODIFICATION_DATETIME>{changed}"
        f"</LAST_SERVICE_MODIFICATION_DATETIME><CVE_LIST><CVE><ID><![CDATA[CVE-2026-{qid}]]></ID>"
        f"<URL><![CDATA[http://cve.example]]></URL></CVE></CVE_LIST></VULN>"
    )


def _asset(id: int) -> str:
    return (
        f"<HostAsset><id>{id}</id><name>web-{id}</name><created>2026-01-01T00:00:00Z</created>"
        f"<modified>2026-03-01T00:00:00Z</modified><qwebHostId>{id - 4000}</qwebHostId><sourceInfo><list>"
        f"<Ec2AssetSourceSimple><instanceId>i-{id:017x}</instanceId><accountId>111122223333</accountId>"
        f"<region>eu-west-1</region></Ec2AssetSourceSimple></list></sourceInfo></HostAsset>"
    )

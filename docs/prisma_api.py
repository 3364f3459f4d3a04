"""prisma_api.md: the API that Palo Alto's clients know: each call, who may make it, how to point clients at it."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI

from agents.inbound import KEPT
from api.described import sentence
from api.prisma.build import AREAS, ERRORS
from api.prisma.integration_types import ABSENT, CHANNELS, PULLED
from api.prisma.reference import description

_ROLES = {"open_": "anybody", "any_role": "any role", "reads": "read-only, admin", "writes": "admin"}

_PROSE = """\
Tidegate answers, at the root of its API's address, the calls that the public clients of Prisma Cloud make, so that
scripts go on working: `prismacloud-api` and `pcpi` from PyPI, and the Go client of the Terraform provider, run
unchanged (tests/api/test_prisma_clients.py). `http://127.0.0.1:8700/docs` is this page to try out, without internet.

```
tidegate apply -f user.yaml                  # kind: user, id: ann@example.com, name: Ann, role: admin
tidegate access-keys add ann@example.com     # prints an access key and its secret, once
```

`POST /login` takes both and gives a token of ten minutes for the header `x-redlock-auth`; `GET /auth_token/extend`
gives the next one. After failed logins the next one has to wait, ever longer. The token of the data folder works
too, as `Authorization: Bearer`, for Prometheus say (`GET /metrics`).

**prismacloud-api** speaks https only: set `TIDEGATE_API_HTTPS_PORT=8743`, and

```python
pc_api.configure({"url": "127.0.0.1:8743", "identity": KEY, "secret": SECRET, "verify": "DATA/tls/ca.pem"})
pc_api.api = "127.0.0.1:8743"  # configure() takes what doesn't end in .prismacloud.io for another product
```

**pcpi** takes `http://127.0.0.1:8700` as it is. **The Go client and the Terraform provider** take
`PRISMACLOUD_URL=127.0.0.1`, `PRISMACLOUD_PORT=8700`, `PRISMACLOUD_PROTOCOL=http`.

Every answer is JSON unless a table is asked for. An error has the header `x-redlock-status`, a list of `i18nKey`,
`severity` and `subject`, and the body `{"error": {"code", "message", "target", "details"}}`. What the product has and
Tidegate hasn't is refused with `not_supported` and the way out; nothing is accepted and then not done.

- Searches answer what is there now, whatever `timeRange` says. Pages neither skip nor repeat a row that stays.
- A list of alerts is decided by its first page: later pages hold the same alerts in the same order, as they are then.
- Alerts can be dismissed, snoozed and opened again; remediation and mail aren't there.
- An alert rule that names account groups covers the accounts that are in them, also later ones.
- A secret reads as asterisks, which written back keep it. An admin reads the addresses of webhooks as written.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# The API that Prisma Cloud's clients know",
        "",
        "Printed from `api/prisma/` by `make docs`; don't edit it here.",
        "",
        *_PROSE.splitlines(),
        "",
        "## Integrations",
        "",
        f"Told of alerts: {_listed(CHANNELS)}. Pulled: {_listed(PULLED)}. Only kept: {_listed(KEPT)}."
        f" Refused: {_listed(ABSENT)}.",
        "",
        "## Paths",
    ]
    described = description(_app())
    for area in AREAS:
        rows = [row for name in _ROLES for row in _rows(area, name, described)]
        if rows:
            about = (area.__doc__ or "").strip().splitlines()[0]
            lines += ["", f"### {about.rstrip('.')}", "", "| call | who | what it does |", "|---|---|---|", *rows]
    lines += ["", "## Errors", "", "| status | when |", "|---|---|"]
    lines += [f"| {status} | {said['description']} |" for status, said in ERRORS.items()]
    return "\n".join([*lines, ""])


def _app() -> FastAPI:
    app = FastAPI()
    for area in AREAS:
        for name in _ROLES:
            if router := getattr(area, name, None):
                app.include_router(router)
    return app


def _rows(area: Any, name: str, described: dict[str, Any]) -> Iterator[str]:
    for route in getattr(getattr(area, name, None), "routes", ()):
        for method in sorted(route.methods):
            call = described["paths"].get(route.path, {}).get(method.lower())
            if call is not None:
                about = sentence(call["description"])
                yield f"| `{method} {route.path}` | {_ROLES[name]} | {about} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))

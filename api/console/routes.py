"""The calls that the console brought with it. Any client may make them: they are part of the REST API."""

from fastapi import APIRouter

from api.console import delivered, events, integration_types, integrations, overview, rql, rules, shipped, templates

routes = APIRouter()
for area in (rql, delivered, overview, events, integration_types, integrations, rules, shipped, templates):
    routes.include_router(area.routes)

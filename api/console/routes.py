"""The calls that the console brought with it. Any client may make them: they are part of the REST API."""

from fastapi import APIRouter

from api.console import delivered, events, overview, rql

routes = APIRouter()
for area in (rql, delivered, overview, events):
    routes.include_router(area.routes)

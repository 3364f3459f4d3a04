"""Palo Alto's REST API over what Tidegate holds, so that the product's public clients run unchanged.

request -> gate (size, type, token) -> route (role) -> store, control plane, Kafka -> answer in the product's words

Read `build.py`, then `gate.py`; each other file is an area of the API, or what several of them share.
"""

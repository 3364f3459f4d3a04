"""What travels, where it travels, and where it rests.

    producers -> raw.* -> resources, findings -> store (DuckDB) -> snapshots -> answers

Reading order: `records` (the shapes on a topic), `topics` (the topics), `identity` (keys, accounts and versions),
`partition` (who owns an account), `store` (the tables), `snapshot` (what a reader opens), `transport` and `app` (Faust
on batches).
"""

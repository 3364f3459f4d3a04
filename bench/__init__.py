"""Benchmarks: one module each, with a `run(quick)` that returns figures. `python -m bench` lists them.

A figure is a ratio wherever it can be: against a floor or a peer that the same run measures, in interleaved pairs,
median with spread, so that it means the same on another machine. Modules with an underscore are for sharing.
"""

"""Engines behind the ports: databases and files.

Promise: every class here keeps a port of ``shopward.ports`` and raises only errors of ``shopward.errors``.
Nothing here knows a rule, a feature or a decision; only ``service`` picks an adapter.
"""

"""Peers: wire formats of other products, accepted so that a shop can come over without being rewritten.

Promise: what a peer's client library sends becomes an event of ours and takes the same way as ``/v1/decisions``: checked,
decided, recorded, then answered in the peer's own shape. Which field goes where stands in the tables beside this file
(``castle.toml``, ``tirreno.toml``) and, for people, in docs/migrating.md. E-mail, phone and address become keyed tokens
before the event is made; names never reach it.

Thin on purpose: no lists, no reviews, no fingerprints, no webhooks of a peer. A field that no table names is left out.
"""

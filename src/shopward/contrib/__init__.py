"""Packages for shop software that we did not write. Each stands on ``shopward.client`` and on nothing of the server."""

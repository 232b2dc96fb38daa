"""Shopward in a Django shop: an app, a backend, a middleware and one setting; see docs/django.md.

Promise: logins are decided between the right password and the session, guarded views before they run, and nothing here
raises into a customer's page for what a server, a network or a request does. Nothing is imported here: Django loads apps
before models are there.
"""

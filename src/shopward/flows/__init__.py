"""Flows: the numbered stories, and the only place where contexts meet.

``decide`` tells how a group of events becomes recorded decisions; ``replay`` how a file does, with the same code.
"""

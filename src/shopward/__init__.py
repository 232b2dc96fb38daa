"""Shopward."""

"""Helpers without a kind of their own."""

"""Carries plans out: settles a pair, and push, pull and sweep on top of it."""

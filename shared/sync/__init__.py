"""Detects changes, reconciles each pair, and runs push, pull and sweep."""

"""Runs the connector on one machine: the story, the served systems, the local Functions host, the measurements."""

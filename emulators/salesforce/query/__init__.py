"""Queries: parse SOQL, and find and shape the records that match."""

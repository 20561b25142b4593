"""Metadata: read it from XML, check it, deploy it into the org, and return it (docs/reference/salesforce.md)."""

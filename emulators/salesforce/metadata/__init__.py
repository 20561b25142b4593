"""Metadata deployments: unpack, check and apply a package."""

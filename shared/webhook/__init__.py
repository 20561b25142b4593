"""Receiving events of Partner Center: admission, signature, certificates and parsing."""

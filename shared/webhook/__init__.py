"""Receive webhook events of Partner Center: admission, signature, certificates and parsing."""

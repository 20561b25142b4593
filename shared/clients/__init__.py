"""Clients, one package for each outside system. Code above this package uses no HTTP."""

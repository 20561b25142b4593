"""Salesforce: sign-in, queries, collections, composite and graph."""

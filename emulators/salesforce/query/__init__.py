"""SOQL: parse a query and find the rows that match."""

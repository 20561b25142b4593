"""The product's homes: Azure, Salesforce, and one machine."""

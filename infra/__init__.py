"""Deployment only: the Azure resources and the Salesforce package."""

"""The client of Salesforce: sign-in, queries, writes, and the deployment of metadata."""

using 'main.bicep'

// Staging: a Salesforce sandbox, the same Partner Center tenant. Replace a value here, or set its variable.

param environmentName = 'staging'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// The switches: what the app runs with now, which the deployment reads from it. A new app starts with a preview.
param sync = readEnvironmentVariable('SYNC', 'preview')

param partnerCenterTenantId = readEnvironmentVariable('PARTNER_CENTER_TENANT_ID', '')
param partnerCenterClientId = readEnvironmentVariable('PARTNER_CENTER_CLIENT_ID', '')
param partnerCenterOrganizationId = readEnvironmentVariable('PARTNER_CENTER_ORGANIZATION_ID', '')
param partnerCenterLocation = readEnvironmentVariable('PARTNER_CENTER_LOCATION', '')
param salesforceUrl = readEnvironmentVariable('SALESFORCE_URL', '')
param salesforceClientId = readEnvironmentVariable('SALESFORCE_CLIENT_ID', '')
param salesforceUsername = readEnvironmentVariable('SALESFORCE_USERNAME', '')
param settings = {
  SYNC_FROM: readEnvironmentVariable('SYNC_FROM', '')
  PUSH_PAUSED: readEnvironmentVariable('PUSH_PAUSED', '')
  PULL_PAUSED: readEnvironmentVariable('PULL_PAUSED', '')
  SALESFORCE_AUDIENCE: 'https://test.salesforce.com'
}

param alertEmails = filter(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), email => !empty(email))

using 'main.bicep'

// Parameters of production. Replace a value here, or set its environment variable.

param environmentName = 'production'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// `make deploy` sets SYNC, SYNC_FROM, PUSH_PAUSED and PULL_PAUSED to the values of the running app.
// A new app starts in preview.
param sync = readEnvironmentVariable('SYNC', 'preview')

param partnerCenterTenantId = readEnvironmentVariable('PARTNER_CENTER_TENANT_ID')
param partnerCenterClientId = readEnvironmentVariable('PARTNER_CENTER_CLIENT_ID')
param partnerCenterOrganizationId = readEnvironmentVariable('PARTNER_CENTER_ORGANIZATION_ID')
param partnerCenterLocation = readEnvironmentVariable('PARTNER_CENTER_LOCATION')
param salesforceUrl = readEnvironmentVariable('SALESFORCE_URL')
param salesforceClientId = readEnvironmentVariable('SALESFORCE_CLIENT_ID')
param salesforceUsername = readEnvironmentVariable('SALESFORCE_USERNAME')
param settings = {
  SYNC_FROM: readEnvironmentVariable('SYNC_FROM', '')
  PUSH_PAUSED: readEnvironmentVariable('PUSH_PAUSED', '')
  PULL_PAUSED: readEnvironmentVariable('PULL_PAUSED', '')
}

// Azure keeps copies of the storage in three zones, and logs for a quarter of a year.
param storageSku = 'Standard_ZRS'
param logRetentionDays = 90

// Nobody deletes vault or storage by mistake. Only Owner and User Access Administrator may write locks.
param deleteLocks = true

param alertEmails = filter(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), email => !empty(email))

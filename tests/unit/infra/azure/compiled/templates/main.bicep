// Everything the connector needs in Azure, in a resource group of its own: `az deployment sub create`, or azd.
// Names, tags, parameters, outputs and the deployer's rights: README.md beside this file.

targetScope = 'subscription'

import { eventsQueue, linksTable, packageContainer } from 'modules/constants.bicep'
import { optionalSettings } from 'modules/settings.bicep'

@allowed(['staging', 'production'])
@description('Which of the two this is. Each has a parameter file and a mapping file of its name.')
param environmentName string

@minLength(1)
@metadata({ azd: { type: 'location' } })
@description('The Azure region, one that has Flex Consumption.')
param location string

@minLength(2)
@maxLength(8)
@description('What names begin with: lower-case letters and digits, a letter first. Change it if a name is taken.')
param workloadName string = 'cosell'

@description('The resource group. It is made if it is not there.')
param resourceGroupName string = 'rg-${workloadName}-${environmentName}'

@description('Tags of your own, on everything.')
param tags object = {}

// --- the sync ---

@allowed(['off', 'preview', 'on'])
@description('A new deployment plans and writes nothing (preview). A later one must be told what is set now.')
param sync string = 'preview'

@minLength(36)
@maxLength(36)
@description('The partner\'s own Entra tenant.')
param partnerCenterTenantId string

@minLength(36)
@maxLength(36)
@description('The app registration in that tenant.')
param partnerCenterClientId string

@minLength(36)
@maxLength(36)
@description('The partner\'s organisation in Partner Center.')
param partnerCenterOrganizationId string

@minLength(1)
@maxLength(12)
@description('The partner location (MPN id) that referrals are created for.')
param partnerCenterLocation string

@minLength(9)
@description('The org\'s My Domain address: https://acme.my.salesforce.com')
param salesforceUrl string

@minLength(1)
@description('The consumer key of the External Client App.')
param salesforceClientId string

@minLength(1)
@description('The integration user.')
param salesforceUsername string

@description('Settings to change from the defaults that the code has (docs/settings.md), each as text.')
param settings optionalSettings = {}

@description('When push_opportunities runs: NCRONTAB with six fields, UTC.')
param pushSchedule string = '0 * * * * *'

@description('When sweep_referrals runs.')
param sweepSchedule string = '0 */15 * * * *'

@description('When keep_credentials runs.')
param credentialsSchedule string = '0 17 3 * * *'

// --- the app ---

@allowed([512, 2048, 4096])
@description('Memory of an instance, in megabytes.')
param memoryMegabytes int = 2048

@minValue(1)
@maxValue(1000)
@description('The most instances of each function. Many regions take no less than 40.')
param maximumInstances int = 40

@minValue(1)
@maxValue(1000)
@description('Requests that one instance answers at once.')
param httpConcurrency int = 16

@minValue(1)
@maxValue(32)
@description('Queue messages that one instance takes at once.')
param queueBatchSize int = 4

@minValue(0)
@maxValue(20)
@description('Instances that wait for events without pause. They are billed without a free grant. 0: none.')
param alwaysReady int = 0

// --- storage and vault ---

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('How storage is copied.')
param storageSku string = 'Standard_LRS'

@description('Brings back a vault of this name that was deleted less than 90 days ago.')
param recoverVault bool = false

@description('Who deploys and operates: object id of a person, group or pipeline. Empty: nobody gets data rights.')
param operatorPrincipalId string = deployer().objectId

// --- the network ---

@description('A network of its own, with private endpoints of storage and vault.')
param privateNetwork bool = false

@description('Its addresses, at least a /26.')
param networkAddressPrefix string = '10.20.0.0/24'

@description('Public IPv4 addresses that reach storage and vault in spite of a private network: the deployer\'s.')
param allowedAddresses string[] = []

// --- monitoring ---

@description('Whom alerts are mailed to.')
param alertEmails string[] = []

@description('Whether the alert rules are at work.')
param alertsEnabled bool = true

@minValue(1)
@maxValue(100)
@description('The share of refused events, in percent of all, from which an alert tells.')
param eventsRefusedPercent int = 50

@minValue(60)
@description('The age of the oldest unsynced change, in seconds, from which an alert tells.')
param unsyncedSeconds int = 3600

@minValue(1)
@maxValue(100)
@description('The share of the Salesforce org\'s API calls of a day, in percent, from which an alert tells.')
param salesforceBudgetPercent int = 80

@minValue(30)
@maxValue(730)
@description('Days that logs are kept.')
param logRetentionDays int = 30

@minValue(1)
@description('Gigabytes of logs a day; what is above is dropped, and the silence alerts tell.')
param logCapGigabytes int = 1

@description('Whether the platform\'s own log of the app is kept too: for a host that does not start.')
param platformLogs bool = false

// --- cost ---

@minValue(0)
@description('The budget of a month in the subscription\'s currency. 0: none.')
param budgetAmount int = 0

@description('The month the budget begins with: its first day, yyyy-MM-dd. Set it once and leave it.')
param budgetStart string = utcNow('yyyy-MM-01')

var short = take(environmentName, 4)
var token = toLower(uniqueString(subscription().id, workloadName, environmentName, location))
var names = {
  actionGroup: 'ag-${workloadName}-${environmentName}'
  actionGroupShort: '${take(workloadName, 7)}-${short}'
  alerts: '${workloadName}-${environmentName}'
  app: 'func-${workloadName}-${short}-${token}'
  budget: 'budget-${workloadName}-${environmentName}'
  identity: 'id-${workloadName}-${environmentName}'
  insights: 'appi-${workloadName}-${environmentName}'
  network: 'vnet-${workloadName}-${environmentName}'
  plan: 'plan-${workloadName}-${environmentName}'
  storage: 'st${workloadName}${token}'
  vault: 'kv-${workloadName}${token}'
  workbook: 'Co-sell connector (${environmentName})'
  workspace: 'log-${workloadName}-${environmentName}'
}
var allTags = union(tags, {
  application: 'cosell'
  environment: environmentName
  'azd-env-name': environmentName
})

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'cosell-identity'
  params: {
    name: names.identity
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'cosell-monitoring'
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    actionGroupName: names.actionGroup
    actionGroupShortName: names.actionGroupShort
    workbookTitle: names.workbook
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGigabytes: logCapGigabytes
    emails: alertEmails
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'cosell-storage'
  params: {
    name: names.storage
    location: location
    tags: allTags
    sku: storageSku
    isPrivate: privateNetwork
    allowedAddresses: allowedAddresses
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  name: 'cosell-vault'
  params: {
    name: names.vault
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetwork
    allowedAddresses: allowedAddresses
    recover: recoverVault
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  name: 'cosell-network'
  params: {
    name: names.network
    location: location
    tags: allTags
    addressPrefix: networkAddressPrefix
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module rbac 'modules/rbac.bicep' = {
  scope: group
  name: 'cosell-rbac'
  params: {
    storageName: names.storage
    vaultName: names.vault
    insightsName: names.insights
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
  }
  dependsOn: [
    monitoring
    storage
    vault
  ]
}

module app 'modules/app.bicep' = {
  scope: group
  name: 'cosell-app'
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: allTags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobUrl: storage.outputs.blobUrl
    queueUrl: storage.outputs.queueUrl
    tableUrl: storage.outputs.tableUrl
    vaultUrl: vault.outputs.url
    insightsConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    memoryMegabytes: memoryMegabytes
    maximumInstances: maximumInstances
    httpConcurrency: httpConcurrency
    queueBatchSize: queueBatchSize
    alwaysReady: alwaysReady
    platformLogs: platformLogs
    required: {
      ENVIRONMENT: environmentName
      SYNC: sync
      MAPPING: 'mapping/${environmentName}.toml'
      PARTNER_CENTER_TENANT_ID: partnerCenterTenantId
      PARTNER_CENTER_CLIENT_ID: partnerCenterClientId
      PARTNER_CENTER_ORGANIZATION_ID: partnerCenterOrganizationId
      PARTNER_CENTER_LOCATION: partnerCenterLocation
      SALESFORCE_URL: salesforceUrl
      SALESFORCE_CLIENT_ID: salesforceClientId
      SALESFORCE_USERNAME: salesforceUsername
    }
    settings: settings
    schedules: {
      PUSH_SCHEDULE: pushSchedule
      SWEEP_SCHEDULE: sweepSchedule
      CREDENTIALS_SCHEDULE: credentialsSchedule
    }
  }
  dependsOn: [
    rbac
  ]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'cosell-alerts'
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: monitoring.outputs.actionGroupId
    prefix: names.alerts
    enabled: alertsEnabled
    thresholds: {
      eventsRefusedPercent: eventsRefusedPercent
      unsyncedSeconds: unsyncedSeconds
      salesforceBudgetPercent: salesforceBudgetPercent
    }
  }
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  scope: group
  name: 'cosell-budget'
  params: {
    name: names.budget
    amount: budgetAmount
    start: budgetStart
    actionGroupId: monitoring.outputs.actionGroupId
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output ENVIRONMENT string = environmentName
output FUNCTION_APP_NAME string = names.app
output FUNCTION_APP_URL string = app.outputs.url
output EVENTS_URL string = '${app.outputs.url}/api/events'
output HEALTH_URL string = '${app.outputs.url}/api/health'
output KEY_VAULT_NAME string = names.vault
output KEY_VAULT_URL string = vault.outputs.url
output STORAGE_ACCOUNT_NAME string = names.storage
output STORE_TABLES_URL string = storage.outputs.tableUrl
output STORE_TABLE string = linksTable
output EVENTS_QUEUE string = eventsQueue
output PACKAGE_CONTAINER string = packageContainer
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceId

@description('The settings that the code reads, by variable: no secret is among them.')
output APP_SETTINGS object = app.outputs.settings

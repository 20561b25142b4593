// Creates all Azure resources of the connector in one resource group. `make deploy` and the Azure CLI deploy it.
// README.md in this folder lists names, tags, parameters, outputs and the rights that the deployer needs.

targetScope = 'subscription'

import { eventsQueue, linksTable, packageContainer } from 'modules/constants.bicep'
import { optionalSettings } from 'modules/settings.bicep'

@allowed(['staging', 'production'])
@description('The environment. Its name is also the name of its parameter file and its mapping file.')
param environmentName string

@minLength(1)
@description('An Azure region that offers Flex Consumption.')
param location string

@minLength(2)
@maxLength(8)
@description('The start of names: lower-case letters and digits, first a letter. Change it if a name is taken.')
param workloadName string = 'cosell'

@description('The resource group. The deployment creates it if it does not exist.')
param resourceGroupName string = 'rg-${workloadName}-${environmentName}'

@description('Your own tags. Every resource gets them.')
param tags object = {}

// --- the sync ---

@allowed(['off', 'preview', 'on'])
@description('The setting SYNC: preview logs what would be written. A later deployment must give the present value.')
param sync string = 'preview'

@minLength(36)
@maxLength(36)
@description('The id of the partner\'s Entra tenant.')
param partnerCenterTenantId string

@minLength(36)
@maxLength(36)
@description('The client id of the app registration in that tenant.')
param partnerCenterClientId string

@minLength(36)
@maxLength(36)
@description('The id of the partner\'s organisation in Partner Center.')
param partnerCenterOrganizationId string

@minLength(1)
@maxLength(12)
@description('The partner location (MPN id) of created referrals.')
param partnerCenterLocation string

@minLength(9)
@description('The My Domain address of the Salesforce org, for example https://acme.my.salesforce.com')
param salesforceUrl string

@minLength(1)
@description('The consumer key of the External Client App.')
param salesforceClientId string

@minLength(1)
@description('The user name of the integration user.')
param salesforceUsername string

@description('Other settings (docs/settings.md), each as text. Without an entry a setting keeps its default.')
param settings optionalSettings = {}

@description('The schedule of push_opportunities: NCRONTAB with six fields, in UTC.')
param pushSchedule string = '0 * * * * *'

@description('The schedule of sweep_referrals.')
param sweepSchedule string = '0 */15 * * * *'

@description('The schedule of keep_credentials.')
param credentialsSchedule string = '0 17 3 * * *'

@description('The schedule of compare_deals. The first run of a day begins a compare, later ones continue it.')
param compareSchedule string = '0 23,53 2-5 * * *'

@description('The schedule of copy_store.')
param backupSchedule string = '0 47 6 * * *'

// --- the app ---

@allowed([512, 2048, 4096])
@description('The memory of an instance, in megabytes.')
param memoryMegabytes int = 2048

@minValue(1)
@maxValue(1000)
@description('The maximum number of instances of each function. Many regions reject a value below 40.')
param maximumInstances int = 40

@minValue(1)
@maxValue(1000)
@description('The number of requests that one instance handles at the same time.')
param httpConcurrency int = 16

@minValue(1)
@maxValue(32)
@description('The number of queue messages that one instance handles at the same time.')
param queueBatchSize int = 4

@minValue(0)
@maxValue(20)
@description('The number of instances that always run, so that no event waits for a start. They have no free grant.')
param alwaysReady int = 0

// --- storage and vault ---

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('The replication of the storage account.')
param storageSku string = 'Standard_LRS'

@description('Whether to recover a vault with this name that was deleted less than 90 days ago.')
param recoverVault bool = false

@description('Whether locks forbid to delete vault and storage. The deployer needs the right to write locks.')
param deleteLocks bool = false

@description('The object id of the operator: a person, a group or a pipeline. If empty, only the app gets roles.')
param operatorPrincipalId string = deployer().objectId

@description('The object id of a group that may read the table, and nothing else. If empty: no group.')
param tableReaderGroupId string = ''

@description('The object id of a group that may read and write the table, and nothing else. If empty: no group.')
param tableContributorGroupId string = ''

// --- the network ---

@description('Whether to create a virtual network with private endpoints for storage and vault.')
param privateNetwork bool = false

@description('The addresses of that network: at least a /26.')
param networkAddressPrefix string = '10.20.0.0/24'

@description('Public IPv4 addresses that may still reach storage and vault, for example the deployer\'s.')
param allowedAddresses string[] = []

// --- monitoring ---

@description('The mail addresses that receive alerts.')
param alertEmails string[] = []

@description('The id of an action group of yours, which gets the alerts in place of alertEmails. If empty: ours.')
param existingActionGroupId string = ''

@description('Whether the alert rules are enabled.')
param alertsEnabled bool = true

@minValue(1)
@maxValue(100)
@description('The threshold of the alert events-refused: refused events, in percent of all events.')
param eventsRefusedPercent int = 50

@minValue(60)
@description('The threshold of the alert change-unsynced: the age of the oldest unsynced change, in seconds.')
param unsyncedSeconds int = 3600

@minValue(1)
@maxValue(100)
@description('The threshold of the alert salesforce-budget: used API calls, in percent of the org\'s daily limit.')
param salesforceBudgetPercent int = 80

@minValue(30)
@maxValue(730)
@description('The number of days for which logs are kept.')
param logRetentionDays int = 30

@minValue(1)
@description('The daily limit of logs, in gigabytes. Azure drops the rest; then push-silent and sweep-silent fire.')
param logCapGigabytes int = 1

@description('Whether to keep the platform\'s log of the app too. It helps if the host does not start.')
param platformLogs bool = false

// --- cost ---

@minValue(0)
@description('The budget of a month, in the currency of the subscription. With 0 there is no budget.')
param budgetAmount int = 0

@description('The first day of the first month of the budget, yyyy-MM-dd. It cannot change later.')
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
    existingActionGroupId: existingActionGroupId
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
    workspaceId: monitoring.outputs.workspaceId
    isLocked: deleteLocks
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
    isLocked: deleteLocks
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
    tableReaderGroupId: tableReaderGroupId
    tableContributorGroupId: tableContributorGroupId
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
      COMPARE_SCHEDULE: compareSchedule
      BACKUP_SCHEDULE: backupSchedule
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

@description('The settings that the code reads, by variable. They contain no secret.')
output APP_SETTINGS object = app.outputs.settings

// The function app on Flex Consumption: its plan, its settings, its identity.

import { eventsQueue, linksTable, packageContainer } from 'constants.bicep'
import { optionalSettings } from 'settings.bicep'

param name string
param planName string
param location string
param tags object

@description('The app\'s user-assigned identity: resource id and client id.')
param identityId string
param identityClientId string

param blobUrl string
param queueUrl string
param tableUrl string
param vaultUrl string

param insightsConnectionString string
param workspaceId string

@description('The subnet that the app goes out through. Empty: none.')
param subnetId string

param memoryMegabytes int
param maximumInstances int
param httpConcurrency int
param queueBatchSize int
param alwaysReady int

@description('Whether the platform\'s own log of the app is kept beside Application Insights.')
param platformLogs bool

@description('What this environment says of itself: the settings without a default (docs/settings.md).')
param required object

@description('Defaults to change.')
param settings optionalSettings

@description('When the timers run.')
param schedules object

// What the code reads, and no other.
var connector = union(required, settings, schedules, {
  AZURE_CLIENT_ID: identityClientId
  EVENTS_QUEUE: eventsQueue
  KEY_VAULT_URL: vaultUrl
  STORE_TABLE: linksTable
  STORE_TABLES_URL: tableUrl
})

// What the host reads. Runtime, memory and scale stand in functionAppConfig, not here.
var host = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  AzureFunctionsJobHost__extensions__queues__batchSize: string(queueBatchSize)
  AzureFunctionsJobHost__extensions__queues__newBatchThreshold: string(queueBatchSize / 2)
  AzureWebJobsStorage__blobServiceUri: blobUrl
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: queueUrl
  AzureWebJobsStorage__tableServiceUri: tableUrl
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'connector' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobUrl}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMegabytes
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady > 0 ? [{ name: 'http', instanceCount: alwaysReady }] : []
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      appSettings: [for setting in items(union(host, connector)): { name: setting.key, value: string(setting.value) }]
    }
  }
}

// Nobody publishes with a password.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = [
  for way in ['ftp', 'scm']: {
    parent: site
    name: way
    properties: {
      allow: false
    }
  }
]

resource platform 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (platformLogs) {
  scope: site
  name: 'platform'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

output url string = 'https://${site.properties.defaultHostName}'

@description('What the code reads, by variable: no secret is among it.')
output settings object = connector

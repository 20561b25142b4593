// Creates the function app on Flex Consumption: plan, settings and identity.

import { eventsQueue, linksTable, packageContainer } from 'constants.bicep'
import { optionalSettings } from 'settings.bicep'

param name string
param planName string
param location string
param tags object

@description('The resource id of the app\'s user-assigned identity. The next parameter is its client id.')
param identityId string
param identityClientId string

param blobUrl string
param queueUrl string
param tableUrl string
param vaultUrl string

param insightsConnectionString string
param workspaceId string

@description('The subnet for the app\'s outbound connections. If empty, the app uses no network.')
param subnetId string

param memoryMegabytes int
param maximumInstances int
param httpConcurrency int
param queueBatchSize int
param alwaysReady int

@description('Whether to keep the platform\'s log of the app, in addition to Application Insights.')
param platformLogs bool

@description('The settings without a default (docs/settings.md).')
param required object

@description('Settings that replace defaults of the code.')
param settings optionalSettings

@description('The schedules of the timers.')
param schedules object

// The settings that the code reads, and no others.
var connector = union(required, settings, schedules, {
  AZURE_CLIENT_ID: identityClientId
  EVENTS_QUEUE: eventsQueue
  KEY_VAULT_URL: vaultUrl
  STORE_TABLE: linksTable
  STORE_TABLES_URL: tableUrl
})

// The settings that the host reads. Runtime, memory and scale are in functionAppConfig.
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
  tags: tags
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

// Nobody can publish code with a password. A loop over the two names would switch the compiler's type checking off.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

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

@description('The settings that the code reads, by variable. They contain no secret.')
output settings object = connector

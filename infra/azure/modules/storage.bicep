// Creates the storage account of the host, the deployed zip, the queues and the links. It accepts no shared key.

import { copiesContainer, eventsQueue, linksTable, packageContainer } from 'constants.bicep'

param name string
param location string
param tags object

@description('The replication of the account: Standard_LRS in one data centre, Standard_ZRS in three zones.')
param sku string

@description('Whether only private endpoints and `allowedAddresses` can connect.')
param isPrivate bool

@description('Public IPv4 addresses that can always connect.')
param allowedAddresses string[]

@description('The workspace for the log of deleted rows, tables and blobs.')
param workspaceId string

@description('Whether a lock forbids to delete it.')
param isLocked bool

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [for address in allowedAddresses: { action: 'Allow', value: address }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // A zip that was deleted by mistake can be recovered.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: packageContainer
  properties: {
    publicAccess: 'None'
  }
}

// The copies of the table. The app deletes those that are too old.
resource copies 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: copiesContainer
  properties: {
    publicAccess: 'None'
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for queueName in [eventsQueue, '${eventsQueue}-poison']: {
    parent: queues
    name: queueName
  }
]

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource links 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = {
  parent: tables
  name: linksTable
}

// The app deletes few rows and blobs, so the log is small. Reads and writes are every call of the app: not logged.
resource blobDeletes 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'deletes'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

resource tableDeletes 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tables
  name: 'deletes'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

// An operator of Azure cannot delete it by mistake. The rows and secrets in it are not protected by a lock.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: account
  name: 'cosell-keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Set by deleteLocks of the connector. docs/uninstall.md says when it comes off.'
  }
}

output id string = account.id
output blobUrl string = account.properties.primaryEndpoints.blob
output queueUrl string = account.properties.primaryEndpoints.queue
output tableUrl string = account.properties.primaryEndpoints.table

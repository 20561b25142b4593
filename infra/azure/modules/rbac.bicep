// Grants roles: to the app for what it calls, and to the operator for what `cosell` and the deployment call with the
// operator's login.

import { copiesContainer, linksTable, packageContainer, refreshTokenSecret, roles } from 'constants.bicep'

param storageName string
param vaultName string
param insightsName string

@description('The object id of the app\'s identity.')
param appPrincipalId string

@description('The object id of the operator: a person, a group or a pipeline. If empty, no operator gets roles.')
param operatorPrincipalId string

@description('The object id of a group that reads the table with `cosell status` and `cosell explain`, or empty.')
param tableReaderGroupId string

@description('The object id of a group that acts on the table with `cosell retry` and others, or empty.')
param tableContributorGroupId string

var hasOperator = !empty(operatorPrincipalId)
var hasReaders = !empty(tableReaderGroupId)
var hasContributors = !empty(tableContributorGroupId)
var roleType = 'Microsoft.Authorization/roleDefinitions'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: packageContainer
}

resource copies 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: copiesContainer
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource links 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' existing = {
  parent: tables
  name: linksTable
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource refreshToken 'Microsoft.KeyVault/vaults/secrets@2025-05-01' existing = {
  parent: vault
  name: refreshTokenSecret
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Blobs: locks, timers and keys of the host, and the deployed zip. Queues: triggers and poison queue. Tables: links.
resource appOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.storageBlobDataOwner, roles.storageQueueDataContributor, roles.storageTableDataContributor]: {
    scope: storage
    name: guid(storage.id, appPrincipalId, role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource appReadsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.keyVaultSecretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The app writes only this secret: each use of the refresh token returns a new one.
resource appWritesRefreshToken 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: refreshToken
  name: guid(refreshToken.id, appPrincipalId, roles.keyVaultSecretsOfficer)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.keyVaultSecretsOfficer)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource appWritesTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, appPrincipalId, roles.monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.monitoringMetricsPublisher)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// No principalType for the operator, because it may be a person, a group or a pipeline. Azure finds the type by itself,
// which fails only for an identity that was created a moment ago.
resource operatorWritesSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperator) {
  scope: vault
  name: guid(vault.id, operatorPrincipalId, roles.keyVaultSecretsOfficer)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.keyVaultSecretsOfficer)
    principalId: operatorPrincipalId
  }
}

resource operatorKeepsPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperator) {
  scope: packages
  name: guid(packages.id, operatorPrincipalId, roles.storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageBlobDataContributor)
    principalId: operatorPrincipalId
  }
}

// `cosell store` writes copies of the table, and puts one back.
resource operatorKeepsCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperator) {
  scope: copies
  name: guid(copies.id, operatorPrincipalId, roles.storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageBlobDataContributor)
    principalId: operatorPrincipalId
  }
}

// `cosell` reads and repairs links, and moves messages back from the poison queue.
resource operatorOnQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperator) {
  scope: storage
  name: guid(storage.id, operatorPrincipalId, roles.storageQueueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageQueueDataContributor)
    principalId: operatorPrincipalId
  }
}

resource operatorOnTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperator) {
  scope: storage
  name: guid(storage.id, operatorPrincipalId, roles.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageTableDataContributor)
    principalId: operatorPrincipalId
  }
}

// Groups that look at deals, or act on them, without any secret (docs/security.md#roles-of-the-commands).
resource groupReadsTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasReaders) {
  scope: links
  name: guid(links.id, tableReaderGroupId, roles.storageTableDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageTableDataReader)
    principalId: tableReaderGroupId
    principalType: 'Group'
  }
}

resource groupWritesTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasContributors) {
  scope: links
  name: guid(links.id, tableContributorGroupId, roles.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roles.storageTableDataContributor)
    principalId: tableContributorGroupId
    principalType: 'Group'
  }
}

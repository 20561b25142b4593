// Creates the vault of the secrets. Rights are granted as roles. Deleted secrets can be recovered for 90 days.

import { refreshTokenSecret } from 'constants.bicep'

param name string
param location string
param tags object

@description('The workspace for the log of reads and writes of secrets.')
param workspaceId string

@description('Whether only private endpoints and `allowedAddresses` can connect.')
param isPrivate bool

@description('Public IPv4 addresses that can always connect.')
param allowedAddresses string[]

@description('Whether to recover a vault with this name that was deleted less than 90 days ago, with its secrets.')
param recover bool

@description('Whether a lock forbids to delete it.')
param isLocked bool

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    createMode: recover ? 'recover' : 'default'
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [for address in allowedAddresses: { value: address }]
    }
  }
}

// The app's right to write is granted on this secret only, so the secret must exist before it has its real value.
// With the decorator, Resource Manager never overwrites an existing token.
@onlyIfNotExists()
resource refreshToken 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: refreshTokenSecret
  properties: {
    value: 'placeholder: run `cosell connect partner-center`'
    contentType: 'placeholder'
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

// An operator of Azure cannot delete it by mistake. The rows and secrets in it are not protected by a lock.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: vault
  name: 'cosell-keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Set by deleteLocks of the connector. docs/uninstall.md says when it comes off.'
  }
}

output id string = vault.id
output url string = vault.properties.vaultUri

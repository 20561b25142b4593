// The vault of the secrets. Rights are roles; nothing in it can be lost for good within 90 days.

import { refreshTokenSecret } from 'constants.bicep'

param name string
param location string
param tags object

@description('The workspace that is told who read or wrote what.')
param workspaceId string

@description('Whether only private endpoints and `allowedAddresses` get in.')
param isPrivate bool

@description('Public IPv4 addresses that get in all the same.')
param allowedAddresses string[]

@description('Brings back a vault of this name that was deleted less than 90 days ago, secrets included.')
param recover bool

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

// The right to write is granted on this one secret, so it must be there before its value is. The decorator makes
// Resource Manager look first: a token that is there is never overwritten, however often this is deployed.
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

output id string = vault.id
output url string = vault.properties.vaultUri

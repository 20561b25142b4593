// Names that the code knows too. tests/unit/infra_azure holds the two together.

@export()
@description('The queue between the event door and apply_event. What fails again and again lands in NAME-poison.')
var eventsQueue = 'referral-events'

@export()
@description('The table of the links.')
var linksTable = 'cosell'

@export()
@description('The blob container of the deployed zip and of the zips kept for a way back.')
var packageContainer = 'packages'

@export()
@description('The one secret that the app may write.')
var refreshTokenSecret = 'partner-center-refresh-token'

@export()
@description('Built-in roles by name. Nothing else is ever granted.')
var roles = {
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

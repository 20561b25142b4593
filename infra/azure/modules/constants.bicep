// Names that the code uses too. The tests in tests/unit/infra/azure compare the two.

@export()
@description('The queue from webhook admission to apply_event. A message that fails repeatedly goes to NAME-poison.')
var eventsQueue = 'referral-events'

@export()
@description('The table that holds the links.')
var linksTable = 'cosell'

@export()
@description('The blob container of the deployed zip and of previous versions.')
var packageContainer = 'packages'

@export()
@description('The blob container of the copies of the table.')
var copiesContainer = 'copies'

@export()
@description('The only secret that the app may write.')
var refreshTokenSecret = 'partner-center-refresh-token'

@export()
@description('The built-in roles that the deployment grants, by name. It grants no others.')
var roles = {
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  storageTableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
}

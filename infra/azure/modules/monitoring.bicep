// Creates the log workspace, Application Insights, the mail addresses of alerts, and the workbook.

param workspaceName string
param insightsName string
param actionGroupName string

@maxLength(12)
@description('The sender name in alert mails.')
param actionGroupShortName string

@description('The title of the workbook.')
param workbookTitle string

param location string
param tags object

@description('The number of days for which logs are kept.')
param retentionDays int

@description('The daily limit of logs, in gigabytes. Azure drops the rest of the day.')
param dailyCapGigabytes int

@description('The mail addresses that receive alerts.')
param emails string[]

@description('The id of an action group that exists and is used in place of one of our own, or empty.')
param existingActionGroupId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: {
      dailyQuotaGb: dailyCapGigabytes
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    // The connection string does not allow writing: only the app's identity may write.
    DisableLocalAuth: true
  }
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (empty(existingActionGroupId)) {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: actionGroupShortName
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'cosell')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: workbookTitle
    sourceId: workspace.id
    version: 'Notebook/1.0'
    serializedData: replace(loadTextContent('../workbook.json'), '__WORKSPACE__', workspace.id)
  }
}

output workspaceId string = workspace.id
output connectionString string = insights.properties.ConnectionString
output actionGroupId string = empty(existingActionGroupId) ? actionGroup.id : existingActionGroupId

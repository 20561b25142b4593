// Where logs go, who is told, and the page that shows how it stands.

param workspaceName string
param insightsName string
param actionGroupName string

@maxLength(12)
@description('What an alert mail shows as its sender.')
param actionGroupShortName string

@description('The workbook as it is listed.')
param workbookTitle string

param location string
param tags object

@description('Days that logs are kept.')
param retentionDays int

@description('Gigabytes a day; what is above is dropped.')
param dailyCapGigabytes int

@description('Whom alerts are mailed to.')
param emails string[]

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
    // The connection string alone lets nobody write: the app's identity does.
    DisableLocalAuth: true
  }
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
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
output actionGroupId string = actionGroup.id

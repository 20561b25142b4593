// Alert rules on the log events of docs/events.md. What to do about each: docs/runbook.md.

param location string
param tags object
param workspaceId string
param actionGroupId string

@description('What rule names begin with.')
param prefix string

@description('Whether the rules are at work.')
param enabled bool

@description('From here on a rule tells: see infra/azure/README.md.')
param thresholds {
  eventsRefusedPercent: int
  unsyncedSeconds: int
  salesforceBudgetPercent: int
}

// Each event is one line of JSON of the logger `cosell`.
var lines = '''AppTraces | where Message startswith '{"event":' | extend Line = parse_json(Message) | extend Event = tostring(Line.event)'''

// A timer is alive that ended a run, made a preview, or was told not to run. A side that is paused is no excuse.
var alive = 'Event == "previewed" or (Event == "run_skipped" and tostring(Line.reason) != "side_paused")'

// value: the column of the query that is compared; every query answers with exactly one row, or one for each name.
var rules = [
  {
    name: 'push-silent'
    severity: 1
    description: 'The timer push_opportunities ended no run for 15 minutes: nothing goes from Salesforce to Partner Center.'
    query: '${lines} | where Event == "push_done" or (tostring(Line.run) == "push" and (${alive})) | summarize Value = count()'
    operator: 'LessThan'
    threshold: 1
    every: 'PT5M'
    window: 'PT15M'
    names: []
  }
  {
    name: 'sweep-silent'
    severity: 2
    description: 'The timer sweep_referrals ended no run for an hour: changes that no event told of are not found.'
    query: '${lines} | where Event == "sweep_done" or (tostring(Line.run) == "sweep" and (${alive})) | summarize Value = count()'
    operator: 'LessThan'
    threshold: 1
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    // Two days are looked at, so that a first day without a daily run is no alarm.
    name: 'credentials-silent'
    severity: 2
    description: 'The timer keep_credentials renewed nothing for 26 hours: the refresh token grows old.'
    query: '${lines} | summarize Kept = countif(Event == "credentials_kept" and TimeGenerated > ago(26h)), First = min(TimeGenerated) | project Value = iff(Kept == 0 and First < ago(26h), 1, 0)'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT1H'
    window: 'P2D'
    names: []
  }
  {
    name: 'events-poisoned'
    severity: 2
    description: 'Events failed as often as the queue allows. Their referrals are on the due list; the cause is in the failures of apply_event.'
    query: '${lines} | where Event == "event_poisoned" | summarize Value = dcount(tostring(Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT15M'
    names: []
  }
  {
    name: 'records-parked'
    severity: 3
    description: 'Records were set aside because the other side refuses a value. The opportunity\'s audit field says which.'
    query: '${lines} | where Event == "pair_parked" | summarize Value = dcount(strcat(Line.opportunity_id, "/", Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    name: 'sign-in-failed'
    severity: 1
    description: 'A side does not let the app in, or a renewed refresh token could not be stored: a person has to act.'
    query: '${lines} | where Event == "sign_in_failed" or Event == "refresh_token_not_stored" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT5M'
    window: 'PT30M'
    names: []
  }
  {
    name: 'events-refused'
    severity: 2
    description: 'The event door turns away more than the allowed share of what arrives (ten at least): a certificate may have changed. The sweep still finds the changes.'
    query: '${lines} | summarize Refused = countif(Event == "event_refused"), Accepted = countif(Event == "event_accepted") | project Value = iff(Refused >= 10, 100.0 * Refused / (Refused + Accepted), 0.0)'
    operator: 'GreaterThan'
    threshold: thresholds.eventsRefusedPercent
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    name: 'change-unsynced'
    severity: 2
    description: 'A change has been waiting for longer than the limit to reach the other side.'
    query: '${lines} | where Event == "unsynced" | summarize arg_max(TimeGenerated, Line) | project Value = coalesce(tolong(Line.oldest_seconds), 0)'
    operator: 'GreaterThan'
    threshold: thresholds.unsyncedSeconds
    every: 'PT15M'
    window: 'PT30M'
    names: []
  }
  {
    name: 'salesforce-budget'
    severity: 2
    description: 'The Salesforce org has used most of its API calls of the last 24 hours; the connector is only one of its users.'
    query: '${lines} | where Event == "salesforce_budget" | summarize arg_max(TimeGenerated, Line) | project Value = coalesce(100.0 * todouble(Line.used) / todouble(Line.total), 0.0)'
    operator: 'GreaterThan'
    threshold: thresholds.salesforceBudgetPercent
    every: 'PT15M'
    window: 'PT2H'
    names: []
  }
  {
    name: 'credential-ending'
    severity: 2
    description: 'A token, certificate or secret ends soon; the alert names it.'
    query: '${lines} | where Event == "credential_ending" | extend Name = tostring(Line.name) | summarize Value = count() by Name'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT6H'
    window: 'P1D'
    names: ['Name']
  }
  {
    name: 'registration-foreign'
    severity: 3
    description: 'The tenant\'s one registration for events leads to another address, which the alert names: no event reaches the app. The sweep still finds the changes.'
    query: '${lines} | where Event == "registration_foreign" | extend Name = tostring(Line.host) | summarize Value = count() by Name'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT6H'
    window: 'P1D'
    names: ['Name']
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix} ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: enabled
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      // The table is made by the app's first line: a new workspace does not have it yet.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Value'
            timeAggregation: 'Maximum'
            operator: rule.operator
            threshold: rule.threshold
            dimensions: [for column in rule.names: { name: column, operator: 'Include', values: ['*'] }]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]

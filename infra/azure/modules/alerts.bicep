// Creates alert rules on the log events of docs/events.md. docs/troubleshooting.md has the remedy for each.

param location string
param tags object
param workspaceId string
param actionGroupId string

@description('The first part of the rule names.')
param prefix string

@description('Whether the rules are enabled.')
param enabled bool

@description('The thresholds of three rules: see infra/azure/README.md.')
type ruleThresholds = {
  eventsRefusedPercent: int
  unsyncedSeconds: int
  salesforceBudgetPercent: int
}
param thresholds ruleThresholds

// Each log event is one line of JSON from the logger `cosell`.
var lines = '''AppTraces | where Message startswith '{"event":' | extend Line = parse_json(Message) | extend Event = tostring(Line.event)'''

// A run counts if it made a preview, or was skipped because of the settings. A run that was skipped because a side is
// paused does not count.
var alive = 'Event == "previewed" or (Event == "run_skipped" and tostring(Line.reason) != "side_paused")'

// Each query returns a column Value, which is compared with the threshold, in one result line or in one for each Name.
var rules = [
  {
    name: 'app-not-started'
    severity: 1
    description: 'The app cannot start, because a setting or the mapping file is wrong. Nothing is synced. The health endpoint has the errors.'
    query: '${lines} | where Event == "start_failed" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT5M'
    window: 'PT15M'
    names: []
  }
  {
    // A run may take ten minutes, and a line may be five minutes late. A run that ends between two pauses of a side does
    // not count: it is the one that finds the side as it was. Short pauses by throttling belong to a busy hour.
    name: 'push-silent'
    severity: 1
    description: 'No run of the timer push_opportunities has ended for 20 minutes, or a side stays paused after failures. Changes do not go from Salesforce to Partner Center.'
    query: '${lines} | where Event == "push_done" or Event == "side_still_paused" or ((${alive}) and tostring(Line.run) == "push") | summarize Ended = countif(Event != "side_still_paused"), Recent = countif(Event != "side_still_paused" and TimeGenerated > ago(20m)), Refused = countif(tostring(Line.reason) == "sign_in"), Throttled = countif(tostring(Line.reason) == "throttled") | project Value = iff(3 * Refused > Ended or Throttled > 4 * Ended, 0, Recent)'
    operator: 'LessThan'
    threshold: 1
    every: 'PT5M'
    window: 'PT30M'
    names: []
  }
  {
    name: 'sweep-silent'
    severity: 2
    description: 'No run of the timer sweep_referrals has ended for an hour. Changes without an event are not found.'
    query: '${lines} | where Event == "sweep_done" or ((${alive}) and tostring(Line.run) == "sweep") | summarize Value = count()'
    operator: 'LessThan'
    threshold: 1
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    // The query reads two days, so that the first day, before the first daily run, raises no alert.
    name: 'credentials-silent'
    severity: 2
    description: 'The timer keep_credentials has not succeeded for 26 hours. The refresh token is not renewed, and ends after 90 days.'
    query: '${lines} | extend IsKept = Event == "credentials_kept" | summarize Kept = countif(IsKept and TimeGenerated > ago(26h)), First = min(TimeGenerated) | project Value = iff(Kept == 0 and First < ago(26h), 1, 0)'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT1H'
    window: 'P2D'
    names: []
  }
  {
    // The query reads two days, as that of credentials-silent. A compare may end in the first run of one night and in the
    // last run of the next, three and a half hours later.
    name: 'compare-silent'
    severity: 3
    description: 'No daily compare has ended for 28 hours. Drift, duplicates and lost events are not found.'
    query: '${lines} | extend IsDone = (Event == "compare_done" and tobool(Line.complete)) or ((${alive}) and tostring(Line.run) == "compare") | summarize Done = countif(IsDone and TimeGenerated > ago(28h)), First = min(TimeGenerated) | project Value = iff(Done == 0 and First < ago(28h), 1, 0)'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT1H'
    window: 'P2D'
    names: []
  }
  {
    // As above: the first two days raise no alert.
    name: 'copy-missing'
    severity: 2
    description: 'The timer copy_store has written no copy of the table for 48 hours. If the table is lost, the newest copy is older than that.'
    query: '${lines} | summarize Copied = countif(Event == "store_copied"), First = min(TimeGenerated) | project Value = iff(Copied == 0 and First < ago(47h), 1, 0)'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT1H'
    window: 'P2D'
    names: []
  }
  {
    // The compare repeats each finding daily until somebody acts, up to 28 hours later, as above. The app mends the other
    // kinds by itself.
    name: 'deals-differ'
    severity: 2
    description: 'The daily compare found deals whose values differ, that are there twice, or whose record is not shown. Run cosell compare, which shows them with both values and the remedy.'
    query: '${lines} | where Event == "compare_found" and tostring(Line.kind) !in ("news", "unlinked_referral", "unlinked_opportunity", "unread_opportunity") | where TimeGenerated > ago(28h) | summarize Value = dcount(strcat(Line.opportunity_id, "/", Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT1H'
    window: 'P2D'
    names: []
  }
  {
    // The window is longer than the period: a line that comes late is still in it.
    name: 'events-poisoned'
    severity: 2
    description: 'Events failed at all attempts that the queue allows. Their referrals are on the retry queue. The failures of apply_event have the cause.'
    query: '${lines} | where Event == "event_poisoned" | summarize Value = dcount(tostring(Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT30M'
    names: []
  }
  {
    name: 'records-parked'
    severity: 3
    description: 'Deals were parked because the other side rejects a value. The Audit field of the opportunity names the value.'
    query: '${lines} | where Event == "pair_parked" | summarize Value = dcount(strcat(Line.opportunity_id, "/", Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    // A deal is tried hourly, with some delay, so that a window of two hours shows each one that is still refused.
    name: 'deals-not-made'
    severity: 2
    description: 'Deals cannot be made: a referral has no opportunity, or Salesforce does not let the app write to an opportunity. The tab Co-sell Inbox in Salesforce has the cause and the remedy of each, and the time until which Microsoft awaits an answer.'
    query: '${lines} | where Event == "deal_not_made" | summarize Value = dcount(strcat(Line.opportunity_id, "/", Line.referral_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT2H'
    names: []
  }
  {
    // A hidden deal is looked for hourly, so that a window of two hours shows each one that is still hidden.
    name: 'deals-hidden'
    severity: 2
    description: 'The integration user no longer sees linked opportunities in Salesforce, so they are not synced. Give it access again: cosell doctor names what is missing.'
    query: '${lines} | where Event == "opportunity_hidden" | summarize Value = dcount(tostring(Line.opportunity_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT2H'
    names: []
  }
  {
    name: 'answer-due'
    severity: 3
    description: 'Deals from Microsoft are unanswered, and expire within three days or one. The field Answer By of the opportunity has the time, its Audit field says how to answer.'
    query: '${lines} | where Event == "answer_due" | summarize Value = dcount(tostring(Line.opportunity_id))'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    // A token is renewed, and then stored, every 60 to 90 minutes. A refused sign-in is tried again after 15 to 30.
    name: 'sign-in-failed'
    severity: 1
    description: 'Partner Center or Salesforce rejects the sign-in of the app, or a renewed refresh token could not be stored. A person must act.'
    query: '${lines} | where Event == "refresh_token_not_stored" or (Event == "sign_in_failed" and TimeGenerated > ago(45m)) | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT5M'
    window: 'PT2H'
    names: []
  }
  {
    name: 'wrong-organization'
    severity: 1
    description: 'The app refuses its Salesforce organisation and writes nothing: production on a sandbox, another environment on a production org, another organisation than SALESFORCE_ORGANIZATION_ID names, or a store of another organisation. The error of the run says what to correct.'
    query: '${lines} | where Event == "wrong_organization" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT5M'
    window: 'PT30M'
    names: []
  }
  {
    name: 'mass-change'
    severity: 1
    description: 'Unusually many deals were created, closed, shared or emptied, or got one value. Or the mapping file sends a field anew. What waits goes on once somebody runs cosell approve, which shows it.'
    query: '${lines} | where Event == "mass_change_stopped" or Event == "mapping_unapproved" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT5M'
    window: 'PT2H'
    names: []
  }
  {
    name: 'events-refused'
    severity: 2
    description: 'Webhook admission refuses at least ten events and more than the allowed share. A certificate may have changed. The sweep still finds the changes.'
    query: '${lines} | summarize Refused = countif(Event == "event_refused"), Accepted = countif(Event == "event_accepted") | project Value = iff(Refused >= 10, 100.0 * Refused / (Refused + Accepted), 0.0)'
    operator: 'GreaterThan'
    threshold: thresholds.eventsRefusedPercent
    every: 'PT15M'
    window: 'PT1H'
    names: []
  }
  {
    // Another tool of the tenant can have registered for events of other products. Those are no fault.
    name: 'events-not-understood'
    severity: 2
    description: 'Partner Center sent an event that the app could not read. The alert names the reason. The service may have changed its events. The sweep still finds the changes.'
    query: '${lines} | where Event == "event_not_understood" and tostring(Line.reason) != "other_event" | extend Name = tostring(Line.reason) | summarize Value = count() by Name'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT1H'
    names: ['Name']
  }
  {
    name: 'change-unsynced'
    severity: 2
    description: 'A change has waited longer than the limit to reach the other side.'
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
    description: 'All users of the Salesforce org together have used most of its API calls of the last 24 hours. The connector is only one of them.'
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
    description: 'A token, certificate or secret ends soon. The alert names it.'
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
    description: 'The event registration of the tenant points to another address, which the alert names. No event reaches the app. The sweep still finds the changes.'
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
      // The first log line of the app creates the table, so a new workspace does not have it yet.
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

// Lists the settings that have a default in the code (docs/settings.md). Set one only to change its default.
// Every value is text, because an app setting is text. A name that is not in this list does not compile.

@export()
@sealed()
@description('Settings that replace defaults of the code.')
type optionalSettings = {
  // Sync.
  SYNC_FROM: string?
  PUSH_PAUSED: string?
  PULL_PAUSED: string?
  LEASE_SECONDS: string?
  SETTLE_SECONDS: string?
  DEADLINE_SECONDS: string?
  IRREVERSIBLE_WAIT_SECONDS: string?
  HOLD_WIN: string?
  CUSTOMER_CONSENT: string?
  LEADS: string?
  PARALLELISM: string?
  RUN_SECONDS: string?
  // Guards.
  MASS_CHANGE_LIMIT: string?
  PURGE_AFTER_DAYS: string?
  COMPARE_SAMPLE: string?
  BACKUP_CONTAINER: string?
  BACKUP_RETENTION_DAYS: string?
  // Partner Center.
  PARTNER_CENTER_URL: string?
  PARTNER_CENTER_SCOPE: string?
  PARTNER_CENTER_WEBHOOKS_URL: string?
  PARTNER_CENTER_WEBHOOKS_SCOPE: string?
  PARTNER_CENTER_AUTHORITY: string?
  PARTNER_CENTER_PUBLIC_CLIENT: string?
  PARTNER_CENTER_TEST_TENANT: string?
  PARTNER_CENTER_QUALIFICATION: string?
  PARTNER_CENTER_MARKETPLACE_INTENT: string?
  PARTNER_CENTER_CONSENT_TO_CONTACT: string?
  PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS: string?
  PARTNER_CENTER_CONSENT_TO_CONTACT_SPECIFIC_PARTNERS: string?
  PARTNER_CENTER_REFERRAL_LINK: string?
  // Salesforce.
  SALESFORCE_AUDIENCE: string?
  SALESFORCE_API_VERSION: string?
  SALESFORCE_KEY_SECRET: string?
  SALESFORCE_ORGANIZATION_ID: string?
  // Key Vault and connections.
  AZURE_CREDENTIAL: string?
  CA_BUNDLE: string?
  VAULT_CACHE_SECONDS: string?
  // Event registration.
  EVENTS_URL: string?
  EVENTS_REGISTER: string?
  // Webhook admission.
  EVENT_CERTIFICATE_ORIGINS: string?
  EVENT_ISSUER_ORIGINS: string?
  EVENT_DISPATCHER: string?
  EVENT_ROOTS: string?
  EVENT_INTERMEDIATES: string?
  EVENT_CERTIFICATES: string?
  EVENT_RESOURCE_HOSTS: string?
  EVENT_MAX_BYTES: string?
}

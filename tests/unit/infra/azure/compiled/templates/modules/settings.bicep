// The settings that the code reads and that have a default there (docs/settings.md): given only to change it.
// Every value is text, as an app setting is. A name that is not listed does not compile.

@export()
@sealed()
@description('Settings to change from the defaults that the code has.')
type optionalSettings = {
  // What is synced, and the protocol's numbers.
  SYNC_FROM: string?
  PUSH_PAUSED: string?
  PULL_PAUSED: string?
  LEASE_SECONDS: string?
  SETTLE_SECONDS: string?
  DEADLINE_SECONDS: string?
  IRREVERSIBLE_WAIT_SECONDS: string?
  PARALLELISM: string?
  RUN_SECONDS: string?
  // Partner Center.
  PARTNER_CENTER_URL: string?
  PARTNER_CENTER_SCOPE: string?
  PARTNER_CENTER_WEBHOOKS_URL: string?
  PARTNER_CENTER_WEBHOOKS_SCOPE: string?
  PARTNER_CENTER_AUTHORITY: string?
  PARTNER_CENTER_PUBLIC_CLIENT: string?
  PARTNER_CENTER_QUALIFICATION: string?
  PARTNER_CENTER_MARKETPLACE_INTENT: string?
  PARTNER_CENTER_CONSENT_TO_CONTACT: string?
  PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS: string?
  PARTNER_CENTER_REFERRAL_LINK: string?
  // Salesforce.
  SALESFORCE_AUDIENCE: string?
  SALESFORCE_API_VERSION: string?
  SALESFORCE_KEY_SECRET: string?
  // Key Vault, and connections.
  AZURE_CREDENTIAL: string?
  CA_BUNDLE: string?
  VAULT_CACHE_SECONDS: string?
  // The registration for events.
  EVENTS_URL: string?
  EVENTS_REGISTER: string?
  // The event door.
  EVENT_CERTIFICATE_ORIGINS: string?
  EVENT_ISSUER_ORIGINS: string?
  EVENT_DISPATCHER: string?
  EVENT_ROOTS: string?
  EVENT_INTERMEDIATES: string?
  EVENT_CERTIFICATES: string?
  EVENT_RESOURCE_HOSTS: string?
  EVENT_MAX_BYTES: string?
}

// Calls an emulated org whose rules are as strict as those of real orgs, and prints the results as one JSON object.
// Environment: EMULATOR (its address), TOKEN and ADMINISTRATOR (the tokens of open sessions), DEAL (a deal that the user
// of TOKEN may only read).
const jsforce = require("jsforce");

const { EMULATOR, TOKEN, ADMINISTRATOR, DEAL } = process.env;
const version = "66.0";
const allowSave = { headers: { "Sforce-Duplicate-Rule-Header": "allowSave=true" } };
const deal = { Name: "One", StageName: "Qualification", CloseDate: "2026-12-31", Region__c: "North" };
const account = { Name: "Contoso Limited", BillingStreet: "1 Main St.", BillingCity: "Redmond" };

function connect(accessToken) {
  return new jsforce.Connection({ instanceUrl: EMULATOR, accessToken, version });
}

async function refusal(promise) {
  try {
    return { passed: await promise };
  } catch (error) {
    return { name: error.name, message: error.message };
  }
}

async function writes(conn, results) {
  const deals = conn.sobject("Opportunity");
  const accounts = conn.sobject("Account");
  results.twin = await refusal(accounts.create(account));
  results.allowedTwin = await accounts.create(account, allowSave);
  results.twins = await accounts.create([account, { ...account, Name: "Another" }], { allOrNone: false });
  results.badCountry = await refusal(accounts.create({ Name: "A", BillingCountry: "Deutschland" }));
  results.withoutRegion = await refusal(deals.create({ ...deal, Region__c: null }));
  results.badStage = await refusal(deals.create({ ...deal, StageName: "Prospecting" }));
  results.numberInQuotes = await deals.create({ ...deal, Amount: "2000" });
  results.readOnly = await refusal(deals.update({ Id: DEAL, Name: "New" }));
  results.rule = await refusal(deals.update({ Id: results.numberInQuotes.id, Amount: -1 }));
}

async function schema(conn, results) {
  const described = await conn.sobject("Opportunity").describe();
  results.region = described.fields.find((field) => field.name === "Region__c");
  results.recordTypes = described.recordTypeInfos.map((info) => info.name);
  results.country = (await conn.sobject("Account").describe()).fields.find((field) => field.name === "BillingCountryCode");
}

async function metadata(conn, results) {
  results.fields = (await conn.metadata.list({ type: "CustomField" }, version)).map((each) => each.fullName);
  const described = await conn.metadata.describe(version);
  results.types = described.metadataObjects.map((each) => each.xmlName);
  results.testRequired = described.testRequired;
  results.limits = await conn.limits();
  results.search = await refusal(conn.search("FIND {Acme}"));
  results.tooling = await refusal(conn.tooling.query("SELECT Id FROM ApexClass"));
}

async function main() {
  const results = {};
  await writes(connect(TOKEN), results);
  await schema(connect(TOKEN), results);
  await metadata(connect(ADMINISTRATOR), results);
  console.log(JSON.stringify(results));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

// Makes jsforce's most common calls to the emulator, and prints the results as one JSON object.
// Environment: EMULATOR (its address), ASSERTION (a signed JWT), TOKEN (the token of an open session).
const jsforce = require("jsforce");

const { EMULATOR, ASSERTION, TOKEN } = process.env;
const version = "66.0";

async function failure(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { name: error.name, code: error.errorCode ?? null, message: error.message };
  }
}

async function signIn(results) {
  const oauth2 = { loginUrl: EMULATOR, clientId: "cosell" };
  const conn = new jsforce.Connection({ oauth2, version });
  results.authorized = await conn.authorize({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: ASSERTION,
  });
  results.instanceUrl = conn.instanceUrl;
  results.identity = await conn.identity();
  results.refusedSignIn = await failure(
    new jsforce.Connection({ oauth2, version }).authorize({ grant_type: "password", username: "a", password: "b" }),
  );
  return conn;
}

async function singleRecords(conn, results) {
  const opportunities = conn.sobject("Opportunity");
  const deal = { Name: "One", StageName: "Prospecting", CloseDate: "2026-12-31", Amount: 1200.5 };
  results.created = await opportunities.create(deal);
  results.updated = await opportunities.update({ Id: results.created.id, StageName: "Closed Won" });
  results.retrieved = await opportunities.retrieve(results.created.id);
  const upsert = { Referral_Identifier__c: "REF 1", Name: "Two", StageName: "Prospecting", CloseDate: "2026-12-31" };
  results.upsertCreated = await opportunities.upsert(upsert, "Referral_Identifier__c");
  results.upsertUpdated = await opportunities.upsert({ ...upsert, Name: "Two again" }, "Referral_Identifier__c");
  results.refusedCreate = await failure(opportunities.create({ Name: "No stage" }));
  results.unknownObject = await failure(conn.sobject("Nonsense").create({ Name: "x" }));
}

async function queries(conn, results) {
  const soql = "SELECT Id, Name, IsWon, Owner.Name FROM Opportunity WHERE Name LIKE 'One%' ORDER BY Name LIMIT 5";
  results.query = await conn.query(soql);
  results.malformed = await failure(conn.query("SELECT Id FORM Opportunity"));
  const paged = conn.query("SELECT Id FROM Contact", { headers: { "Sforce-Query-Options": "batchSize=200" } });
  results.firstPage = (await paged).records.length;
  const all = await conn.query("SELECT Id FROM Contact", { autoFetch: true, maxFetch: 1000 });
  results.autoFetched = all.records.length;
}

async function collections(conn, results) {
  const accounts = conn.sobject("Account");
  results.collectionCreated = await accounts.create([{ Name: "A" }, { Name: "B" }]);
  const [a, b] = results.collectionCreated;
  results.collectionUpdated = await accounts.update([{ Id: a.id, Phone: "1" }, { Id: b.id, Phone: "2" }]);
  results.collectionRetrieved = await accounts.retrieve([a.id, b.id]);
  const deal = { StageName: "Prospecting", CloseDate: "2026-12-31" };
  results.collectionUpserted = await conn.sobject("Opportunity").upsert(
    [
      { Referral_Identifier__c: "REF 1", Name: "Two, a third time", ...deal },
      { Referral_Identifier__c: "REF 2", Name: "Three", ...deal },
    ],
    "Referral_Identifier__c",
  );
  results.collectionDeleted = await accounts.destroy([a.id, b.id]);
}

async function schema(conn, results) {
  const described = await conn.sobject("Opportunity").describe();
  results.describedField = described.fields.find((field) => field.name === "Referral_Identifier__c");
  results.describedObjects = (await conn.describeGlobal()).sobjects.map((sobject) => sobject.name);
  results.limits = await conn.limits();
  results.apiUsage = conn.limitInfo.apiUsage;
}

async function main() {
  const results = {};
  const conn = await signIn(results);
  await singleRecords(conn, results);
  await queries(conn, results);
  const handed = new jsforce.Connection({ instanceUrl: EMULATOR, accessToken: TOKEN, version });
  await collections(handed, results);
  await schema(handed, results);
  const stale = new jsforce.Connection({ instanceUrl: EMULATOR, accessToken: "00D000000000000!stale", version });
  results.staleToken = await failure(stale.query("SELECT Id FROM Account"));
  process.stdout.write(JSON.stringify(results));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

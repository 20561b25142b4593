// Walks through jsforce's everyday calls against the emulator and prints what it saw as one JSON object.
// Environment: EMULATOR (address), ASSERTION (a signed JWT), TOKEN (a session handed over).
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

async function signIn(seen) {
  const oauth2 = { loginUrl: EMULATOR, clientId: "cosell" };
  const conn = new jsforce.Connection({ oauth2, version });
  seen.authorized = await conn.authorize({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: ASSERTION,
  });
  seen.instanceUrl = conn.instanceUrl;
  seen.identity = await conn.identity();
  seen.refusedSignIn = await failure(
    new jsforce.Connection({ oauth2, version }).authorize({ grant_type: "password", username: "a", password: "b" }),
  );
  return conn;
}

async function singleRecords(conn, seen) {
  const opportunities = conn.sobject("Opportunity");
  const deal = { Name: "One", StageName: "Prospecting", CloseDate: "2026-12-31", Amount: 1200.5 };
  seen.created = await opportunities.create(deal);
  seen.updated = await opportunities.update({ Id: seen.created.id, StageName: "Closed Won" });
  seen.retrieved = await opportunities.retrieve(seen.created.id);
  const upsert = { Referral_Identifier__c: "REF 1", Name: "Two", StageName: "Prospecting", CloseDate: "2026-12-31" };
  seen.upsertCreated = await opportunities.upsert(upsert, "Referral_Identifier__c");
  seen.upsertUpdated = await opportunities.upsert({ ...upsert, Name: "Two again" }, "Referral_Identifier__c");
  seen.refusedCreate = await failure(opportunities.create({ Name: "No stage" }));
  seen.unknownObject = await failure(conn.sobject("Nonsense").create({ Name: "x" }));
}

async function queries(conn, seen) {
  const soql = "SELECT Id, Name, IsWon, Owner.Name FROM Opportunity WHERE Name LIKE 'One%' ORDER BY Name LIMIT 5";
  seen.query = await conn.query(soql);
  seen.malformed = await failure(conn.query("SELECT Id FORM Opportunity"));
  const paged = conn.query("SELECT Id FROM Contact", { headers: { "Sforce-Query-Options": "batchSize=200" } });
  seen.firstPage = (await paged).records.length;
  const all = await conn.query("SELECT Id FROM Contact", { autoFetch: true, maxFetch: 1000 });
  seen.autoFetched = all.records.length;
}

async function collections(conn, seen) {
  const accounts = conn.sobject("Account");
  seen.collectionCreated = await accounts.create([{ Name: "A" }, { Name: "B" }]);
  const [a, b] = seen.collectionCreated;
  seen.collectionUpdated = await accounts.update([{ Id: a.id, Phone: "1" }, { Id: b.id, Phone: "2" }]);
  seen.collectionRetrieved = await accounts.retrieve([a.id, b.id]);
  const deal = { StageName: "Prospecting", CloseDate: "2026-12-31" };
  seen.collectionUpserted = await conn.sobject("Opportunity").upsert(
    [
      { Referral_Identifier__c: "REF 1", Name: "Two, a third time", ...deal },
      { Referral_Identifier__c: "REF 2", Name: "Three", ...deal },
    ],
    "Referral_Identifier__c",
  );
  seen.collectionDeleted = await accounts.destroy([a.id, b.id]);
}

async function schema(conn, seen) {
  const described = await conn.sobject("Opportunity").describe();
  seen.describedField = described.fields.find((field) => field.name === "Referral_Identifier__c");
  seen.describedObjects = (await conn.describeGlobal()).sobjects.map((sobject) => sobject.name);
  seen.limits = await conn.limits();
  seen.apiUsage = conn.limitInfo.apiUsage;
}

async function main() {
  const seen = {};
  const conn = await signIn(seen);
  await singleRecords(conn, seen);
  await queries(conn, seen);
  const handed = new jsforce.Connection({ instanceUrl: EMULATOR, accessToken: TOKEN, version });
  await collections(handed, seen);
  await schema(handed, seen);
  const stale = new jsforce.Connection({ instanceUrl: EMULATOR, accessToken: "00D000000000000!stale", version });
  seen.staleToken = await failure(stale.query("SELECT Id FROM Account"));
  process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

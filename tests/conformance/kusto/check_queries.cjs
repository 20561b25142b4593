// Reads {name: query} from the standard input, and prints {name: [message of each error in the query]}.
// Microsoft's parser is a script for browsers, so its two parts must run in the global scope, in this order.
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { runInThisContext } = require("node:vm");

const folder = dirname(require.resolve("@kusto/language-service-next/package.json"));
for (const part of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  runInThisContext(readFileSync(join(folder, part), "utf8"), { filename: part });
}
const { Symbols, GlobalState, KustoCode } = Kusto.Language;

// The columns of the Log Analytics table that our queries may use. The constructor $ctor7 takes a name and a schema;
// $ctor1 takes a name, the members, and whether the database may have more members.
const schema = "(TimeGenerated: datetime, Message: string, SeverityLevel: int, OperationName: string, AppRoleName: string)";
const table = new Symbols.TableSymbol.$ctor7("AppTraces", schema);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("workspace", [table], false));

const messages = {};
for (const [name, query] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const errors = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  messages[name] = [];
  for (let index = 0; index < System.Array.getCount(errors); index++) {
    messages[name].push(System.Array.getItem(errors, index).Message);
  }
}
process.stdout.write(JSON.stringify(messages));

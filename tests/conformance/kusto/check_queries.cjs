// Reads {name: query} from standard input; answers {name: [what Microsoft's reader of the language says against it]}.
// The reader is a script for browsers: it wants to be run in the global scope, its two parts in this order.
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { runInThisContext } = require("node:vm");

const folder = dirname(require.resolve("@kusto/language-service-next/package.json"));
for (const part of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  runInThisContext(readFileSync(join(folder, part), "utf8"), { filename: part });
}
const { Symbols, GlobalState, KustoCode } = Kusto.Language;

// The columns of Log Analytics' table that we may use; $ctor7 takes name and schema, $ctor1 name, members, open or not.
const schema = "(TimeGenerated: datetime, Message: string, SeverityLevel: int, OperationName: string, AppRoleName: string)";
const table = new Symbols.TableSymbol.$ctor7("AppTraces", schema);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("workspace", [table], false));

const answers = {};
for (const [name, query] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  answers[name] = [];
  for (let index = 0; index < System.Array.getCount(found); index++) {
    answers[name].push(System.Array.getItem(found, index).Message);
  }
}
process.stdout.write(JSON.stringify(answers));

// Loads Microsoft's parser. It is a script for browsers, so its two parts must run in the global scope, in this order.
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

// The analysed query, and the message of each error in it.
exports.analyse = (query) => {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const errors = code.GetDiagnostics();
  const messages = Array.from({ length: System.Array.getCount(errors) }, (_, n) => System.Array.getItem(errors, n).Message);
  return { code, messages };
};

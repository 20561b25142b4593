// Reads {name: query} from the standard input, and prints {name: tree}. A tree is [kind, child, …], a token [kind, text],
// and an absent child null. A query with an error has the tree ["Error", message, …].
const { readFileSync } = require("node:fs");
const { analyse } = require("./language.cjs");

const kinds = Kusto.Language.Syntax.SyntaxKind;
const treeOf = (node) => {
  const kind = System.Enum.toString(kinds, node.Kind);
  if (node.IsToken) return [kind, node.Text];
  const children = Array.from({ length: node.ChildCount }, (_, number) => node.GetChild(number));
  return [kind, ...children.map((child) => (child == null ? null : treeOf(child)))];
};
const treeOrErrors = (text) => {
  const { code, messages } = analyse(text);
  return messages.length ? ["Error", ...messages] : treeOf(code.Syntax);
};

const queries = Object.entries(JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(Object.fromEntries(queries.map(([name, text]) => [name, treeOrErrors(text)]))));

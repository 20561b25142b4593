// Reads {name: query} from the standard input, and prints {name: [message of each error in the query]}.
const { readFileSync } = require("node:fs");
const { analyse } = require("./language.cjs");

const queries = Object.entries(JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(Object.fromEntries(queries.map(([name, text]) => [name, analyse(text).messages]))));

// Searches a built site with its own code and prints, as JSON, the first pages for each query.
// Usage: node search.mjs <folder of the site> <query> ...
import { readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

const [site, ...queries] = process.argv.slice(2);
// What the scripts need of a page.
const context = vm.createContext({
  get window() {
    return context;
  },
  _ready: () => {},
  document: { getElementById: () => null },
  localStorage: { setItem: () => {} },
  SPHINX_HIGHLIGHT_ENABLED: false,
  _: (text) => text,
});
const load = (...path) => vm.runInContext(readFileSync(join(site, ...path), "utf8"), context);
load("_static", "language_data.js");
load("_static", "searchtools.js");
vm.runInContext("globalThis.Search = Search", context);
load("searchindex.js");

const found = {};
for (const query of queries) {
  // The last result is shown first.
  const results = context.Search._performSearch(...context.Search._parseQuery(query)).reverse();
  found[query] = [...new Set(results.map(([page]) => page))].slice(0, 3);
}
console.log(JSON.stringify(found));

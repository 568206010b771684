// Checks each stop of the tour with axe, for its width and its tree; prints its observations as JSON.
// Usage: node tour_checks.mjs <base URL> <password of the demo users>
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { mask, treeOf } from "./mask.mjs";
import { CHROMIUM } from "./swagger_ui.mjs";
import { tour, TREES } from "./tour.mjs";

const [base, password] = process.argv.slice(2);
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// The narrowest is WCAG 1.4.10, reflow.
const WIDTHS = [1280, 390, 320];
const observed = { axe: [], overflow: [], console: [], trees: {}, checked: 0 };
const browser = await chromium.launch(CHROMIUM);
const watched = new WeakSet();

function watch(page) {
  if (watched.has(page)) return;
  watched.add(page);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
  });
  page.on("pageerror", (error) => observed.console.push(String(error)));
}

async function runAxe(page, label) {
  // An email is a part of the page of a mail program, which has the landmarks.
  const disabled = label.startsWith("email ") ? { region: { enabled: false }, "landmark-one-main": { enabled: false } } : {};
  const { violations } = await page.evaluate((rules) => globalThis.axe.run({ rules }), disabled);
  observed.axe.push(...violations.map((found) => `${label}: ${found.id}: ${found.nodes[0].html}`));
  observed.checked += 1;
}

// The HTML of an email is sandboxed, so that nothing runs in it.
async function withoutSandbox(page) {
  const copy = await browser.newPage();
  await copy.setContent(await page.content());
  return copy;
}

async function check(name, title, visited) {
  watch(visited);
  const page = name === "email" ? await withoutSandbox(visited) : visited;
  await page.emulateMedia({ reducedMotion: "reduce" });
  // The policy of the pages stays: this is no script of theirs.
  await page.evaluate(AXE);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) {
      observed.overflow.push(`${name} ${width}`);
    }
    if (width === 320) continue;
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await runAxe(page, `${name} ${colorScheme} ${width}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await mask(page);
  if (TREES.includes(name)) observed.trees[name] = await treeOf(page);
}

try {
  await tour(browser, base, password, check);
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

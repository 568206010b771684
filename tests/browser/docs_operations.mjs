// Opens, measures and executes every operation of Swagger UI with the values of the page, as the
// demo user john, and prints its observations as JSON.
// Usage: node docs_operations.mjs <base URL> <folder for screenshots>
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { execute, launch, listOperations, openDocs, openOperation, signInAs, toggle } from "./swagger_ui.mjs";

const [base, folder] = process.argv.slice(2);
const observed = {
  heights: {},
  widths: {},
  locks: {},
  colors: {},
  findings: {},
  statuses: {},
  console: [],
  codes: [],
  uri: null,
};
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
// With parameters, a body, two successes with links, and the most errors.
const LARGEST = "update_user";
// These end the session of the page.
const ENDING = ["sign_out", "sign_out_everywhere", "end_user_sessions", "reauthenticate"];
// After this one john has another password than the button.
const LAST = "change_password";
const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

// The findings of axe-core as "impact rule: selector".
async function findingsOf(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run()");
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => `${impact} ${id}: ${node.target.join(" ")}`),
  );
}

async function readCodes(image) {
  const file = fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"));
  const { buffer } = new Uint8Array(await readFile(file));
  prepareZXingModule({ overrides: { wasmBinary: buffer } });
  return (await readBarcodes(new Uint8Array(image), { formats: ["QRCode"] })).map((code) => code.text);
}

// The colors change with the preference, without a reload.
async function backgroundIn(page, colorScheme) {
  await page.emulateMedia({ colorScheme });
  const isDark = colorScheme === "dark";
  await page.waitForFunction((dark) => document.documentElement.matches(".dark-mode") === dark, isDark);
  return page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
}

async function measure(page, block, id) {
  const lock = block.locator(".authorization__btn");
  observed.locks[id] = (await lock.count()) ? await lock.getAttribute("aria-label") : null;
  observed.heights[id] = await block.evaluate((element) => element.getBoundingClientRect().height);
  await page.setViewportSize(PHONE);
  observed.widths[id] = await page.evaluate("document.documentElement.scrollWidth");
  await page.setViewportSize(DESKTOP);
}

async function inspect(browser, screen, options) {
  const page = await openDocs(browser, base, observed.console, options);
  await signInAs(page, "jane");
  await openOperation(page, LARGEST);
  observed.findings[screen] = await findingsOf(page);
  await page.screenshot({ path: join(folder, `${screen}.png`), fullPage: true });
  await page.close();
}

const browser = await launch();
try {
  const page = await openDocs(browser, base, observed.console, { viewport: DESKTOP });
  await signInAs(page, "john");
  const ids = await listOperations(page);
  for (const id of [...ids.filter((each) => each !== LAST), LAST]) {
    const block = await openOperation(page, id);
    await measure(page, block, id);
    const { status, text } = await execute(block);
    observed.statuses[id] = status;
    if (id === "enrol_second_factor") {
      observed.uri = text.match(/"(otpauth:[^"]+)"/)[1];
      observed.codes = await readCodes(await block.locator("img.qr-code").screenshot());
    }
    await toggle(block);
    if (ENDING.includes(id)) await signInAs(page, "john");
  }
  observed.colors.dark = await backgroundIn(page, "dark");
  observed.colors.light = await backgroundIn(page, "light");
  await page.close();

  await inspect(browser, "light", { viewport: DESKTOP });
  await inspect(browser, "dark", { viewport: DESKTOP, colorScheme: "dark" });
  await inspect(browser, "phone", { viewport: PHONE });
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

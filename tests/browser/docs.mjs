// Drives Chromium through Swagger UI and prints its observations as JSON.
// Usage: node docs.mjs <base URL> <password of john> [file for a screenshot]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM, execute, listOperations, operation } from "./swagger_ui.mjs";

const [base, password, screenshot] = process.argv.slice(2);
const observed = { version: null, console: [], foreign: [], policy: null, statuses: {}, shown: [] };
const profile = await mkdtemp(join(tmpdir(), "roster-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  ...CHROMIUM,
  viewport: { width: 1280, height: 960 },
});

// Requests to other hosts are recorded and aborted.
await browser.route(
  (url) => url.origin !== base && !["data:", "blob:"].includes(url.protocol),
  (route) => {
    observed.foreign.push(route.request().url());
    return route.abort();
  },
);

const page = await browser.newPage();
page.setDefaultTimeout(30_000);
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
});
page.on("pageerror", (error) => observed.console.push(String(error)));

// Executes an operation with other values than those of the page.
async function run(id, { user, body, status }) {
  const block = operation(page, id);
  if (!(await block.locator(".execute").isVisible())) await block.locator(".opblock-summary").click();
  if (user) await block.locator('tr[data-param-name="id"] input').fill(user);
  if (body) await block.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
  const response = await execute(block);
  observed.statuses[id] = response.status;
  if (response.status !== status) throw new Error(`${id} returned ${response.status}: ${response.text}`);
  return response.text;
}

async function authorize(token) {
  await page.locator(".auth-wrapper button.authorize").first().click();
  const container = page.locator(".auth-container form", { hasText: "bearerAuth" });
  const logout = container.locator("button", { hasText: "Logout" });
  if (await logout.isVisible()) await logout.click();
  await container.locator("input").fill(token);
  await container.locator("button.authorize").click();
  await container.locator("button.btn-done").click();
}

try {
  const response = await page.goto(`${base}/docs`);
  observed.policy = response.headers()["content-security-policy"];
  await page.locator("#operations-users-list_users").waitFor();
  observed.version = (await page.locator(".version-stamp .version").innerText()).trim();

  observed.shown = (await listOperations(page)).sort();

  const login = { login: "john", password };
  const session = await run("sign_in", { body: login, status: 201 });
  await authorize(session.match(/rst_[\w-]+/)[0]);
  await run("list_users", { status: 200 });

  // The authorization is kept after a reload.
  await page.reload();
  await page.locator("#operations-users-list_users").waitFor();
  const name = `ada-${Date.now().toString(36)}`;
  const ada = { username: name, email: `${name}@example.com`, password: "a stone bridge over the river" };
  await run("create_user", { body: ada, status: 201 });
  await run("list_users", { status: 200 });
  if (screenshot) {
    await page.reload();
    await page.locator("#operations-users-list_users").waitFor();
    await page.screenshot({ path: screenshot });
  }

  // Authorize with an API key instead of the token.
  const created = await run("create_api_key", { user: "me", body: { name: "nightly" }, status: 201 });
  await authorize(created.match(/rsk_[\w-]+/)[0]);
  await run("get_user", { user: "me", status: 200 });
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(observed));

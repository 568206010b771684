// An administrator's day in Chromium, and axe on all pages; prints its observations as JSON.
// Usage: node console.mjs <base URL> <password of the demo users>
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, password] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const observed = { console: [], axe: [], overflow: [], checked: 0 };
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

async function open(options = {}) {
  // axe is a script that the policy of the pages does not allow.
  const context = await browser.newContext({ bypassCSP: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
  });
  page.on("pageerror", (error) => observed.console.push(String(error)));
  return page;
}

const text = (page, selector) => page.locator(selector).first().innerText();
const press = (page, name) => page.getByRole("main").getByRole("button", { name, exact: true }).click();

async function signIn(page, login) {
  await page.goto(`${base}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await press(page, "Sign in");
  await page.waitForURL("**/account");
}

// Finds jane, suspends and reactivates her, corrects her name, and reads what happened.
async function day() {
  const page = await open();
  await signIn(page, "john");
  await page.getByRole("link", { name: "Console" }).click();
  await page.fill("#q", "jane@example.com");
  await press(page, "Show");
  await page.getByRole("link", { name: "jane", exact: true }).click();
  observed.user = new URL(page.url()).pathname;
  await page.fill("#full_name", "Jane <i>Doe</i>");
  await press(page, "Save the fields");
  observed.saved = await text(page, ".notice");
  observed.name = await text(page, "dd bdi");
  await page.getByRole("main").getByRole("button", { name: "Suspend" }).click();
  observed.consequence = await text(page, "main p");
  await press(page, "Suspend");
  observed.suspended = await text(page, ".notice");

  const other = await open();
  await other.goto(`${base}/sign-in`);
  await other.fill("#login", "jane");
  await other.fill("#password", password);
  await press(other, "Sign in");
  observed.janeSees = await text(other, ".alert");

  await page.getByRole("main").getByRole("button", { name: "Reactivate" }).click();
  await press(page, "Reactivate");
  await page.getByRole("link", { name: "What happened to the user" }).click();
  observed.events = await page.locator("tbody tr td:nth-child(2)").allInnerTexts();

  // Without scripts, another user is created.
  const plain = await open({ javaScriptEnabled: false });
  await signIn(plain, "john");
  await plain.goto(`${base}/admin/users/new`);
  await plain.fill("#username", "rosa");
  await plain.fill("#email", "rosa@example.com");
  await press(plain, "Create the user");
  observed.created = await text(plain, ".notice");
}

const PUBLIC = ["/sign-in", "/sign-up", "/forgot-password", "/verify-email", "/reset-password"];
const ACCOUNT = ["", "/email", "/password", "/second-factor", "/sessions", "/api-keys", "/activity", "/data"];

async function check(page, name) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  observed.axe.push(...violations.map((found) => `${name}: ${found.id}: ${found.nodes[0].html}`));
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) observed.overflow.push(name);
  observed.checked += 1;
}

async function checkAll(label, options) {
  const page = await open(options);
  for (const path of PUBLIC) {
    await page.goto(`${base}${path}`);
    await check(page, `${label} ${path}`);
    await page.locator("main form button[type=submit]").first().click();
    await page.locator("[aria-invalid=true]").first().waitFor();
    await check(page, `${label} ${path} rejected`);
  }
  await signIn(page, "john");
  const admin = ["", `/users/${observed.user.split("/").pop()}`, "/users/new", "/events?user=john", "/statistics", "/users/x"];
  for (const path of [...ACCOUNT.map((end) => `/account${end}`), ...admin.map((end) => `/admin${end}`), "/sign-out"]) {
    await page.goto(`${base}${path}`);
    await check(page, `${label} ${path}`);
  }
  await page.goto(`${base}/account/second-factor`);
  await press(page, "Set up a second factor");
  await check(page, `${label} QR code`);
}

try {
  await day();
  await checkAll("light", { viewport: { width: 1280, height: 800 } });
  await checkAll("dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
  await checkAll("phone", { viewport: { width: 390, height: 800 } });
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

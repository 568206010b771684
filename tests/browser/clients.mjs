// The pages of clients in Chromium, and axe on them; prints its observations as JSON.
// Usage: node clients.mjs <base URL> <password of the demo users>
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, password] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const observed = { console: [], axe: [], overflow: [], checked: 0 };
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

// Opens a browser in which an admin is signed in.
async function open(options = {}) {
  // axe is a script that the policy of the pages does not allow.
  const context = await browser.newContext({ bypassCSP: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
  });
  page.on("pageerror", (error) => observed.console.push(String(error)));
  await page.goto(`${base}/sign-in`);
  await page.fill("#login", "john");
  await page.fill("#password", password);
  await press(page, "Sign in");
  await page.waitForURL("**/account");
  return page;
}

const text = (page, selector) => page.locator(selector).first().innerText();
const press = (page, name) => page.getByRole("main").getByRole("button", { name, exact: true }).click();

// Creates a client, copies its secret, and reads what adding another one does.
async function create() {
  const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(`${base}/admin`);
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "New client" }).click();
  await page.fill("#name", "billing <i>");
  await page.getByLabel("introspect:").check();
  await page.fill("#audience", "https://billing.example.com");
  await press(page, "Create the client");
  await press(page, "Copy the secret");
  const secret = await text(page, "#secret");
  observed.copied = (await page.evaluate(() => navigator.clipboard.readText())) === secret;
  observed.secretUrl = page.url().slice(base.length);
  await page.reload();
  observed.reloaded = (await text(page, "#secret")) === secret;
  await page.getByRole("link", { name: "Show the client" }).click();
  observed.client = new URL(page.url()).pathname;
  observed.name = await text(page, "h1");
  observed.secretGone = !(await page.content()).includes(secret);
  await page.getByRole("link", { name: "Add a secret" }).click();
  observed.addConsequence = await text(page, "main p");
}

// Changes the client and revokes its secret without scripts.
async function change() {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${base}${observed.client}`);
  await page.fill("#name", "shipping");
  await press(page, "Save the fields");
  observed.saved = await text(page, ".notice");
  await page.getByRole("link", { name: /^Revoke/ }).click();
  observed.revokeConsequence = await text(page, "main p");
  await press(page, "Revoke the secret");
  observed.revoked = await text(page, ".notice");
  observed.events = await page.locator("tbody tr td:nth-child(2)").allInnerTexts();
}

async function check(page, name) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  observed.axe.push(...violations.map((found) => `${name}: ${found.id}: ${found.nodes[0].html}`));
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) observed.overflow.push(name);
  observed.checked += 1;
}

async function checkAll(label, options) {
  const page = await open(options);
  await page.goto(`${base}/admin/clients/new`);
  await check(page, `${label} new`);
  await press(page, "Create the client");
  await page.locator("[aria-invalid=true]").first().waitFor();
  await check(page, `${label} rejected`);
  await page.fill("#name", "a-long-name-without-a-space-".repeat(3));
  await page.fill("#audience", `https://${label}.example.com/${"x".repeat(150)}`);
  await press(page, "Create the client");
  await page.locator("#secret").waitFor();
  await check(page, `${label} secret`);
  await page.getByRole("link", { name: "Show the client" }).click();
  const client = new URL(page.url()).pathname;
  await check(page, `${label} client`);
  for (const path of [`${client}/add-secret`, `${client}/delete`, "/admin/clients"]) {
    await page.goto(`${base}${path}`);
    await check(page, `${label} ${path}`);
  }
}

try {
  await create();
  await change();
  await checkAll("light", { viewport: { width: 1280, height: 800 } });
  await checkAll("dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
  await checkAll("phone", { viewport: { width: 390, height: 800 } });
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

// Follows the links of mails in Chromium as a person would, and prints what it has seen as JSON.
// Usage: node account.mjs <base URL> <new password>
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, password] = process.argv.slice(2);
const email = "jane@example.com";
const seen = { console: [], withToken: [], addresses: {}, said: {} };
const profile = await mkdtemp(join(tmpdir(), "roster-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) seen.console.push(message.text());
});
page.on("pageerror", (error) => seen.console.push(String(error)));
page.on("request", (request) => {
  if (/token=/.test(request.url())) seen.withToken.push(request.url());
});

async function mailed(route) {
  const before = (await mails()).length;
  await fetch(`${base}/v1/${route}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  while ((await mails()).length === before) await new Promise((resolve) => setTimeout(resolve, 50));
  return (await mails())[0];
}

const mails = async () =>
  (await fetch(`${base}/dev/mail`, { headers: { Accept: "application/json" } })).json();

async function said(name, kind) {
  await page.locator(`#message.${kind}`).waitFor();
  seen.said[name] = await page.locator("#message").innerText();
}

try {
  // From the list of mails to the HTML form of one, and by its button to the page.
  const verification = await mailed("email-verifications");
  await page.goto(`${base}/dev/mail`);
  await page.locator("li a").first().click();
  await page.getByText("Show it as HTML").click();
  await page.getByText("Confirm my address").first().click();
  await page.locator("#form button").waitFor();
  seen.addresses.verify = page.url();
  await page.locator("#form button").click();
  await said("verified", "done");

  // The same token once more, in the same tab.
  await page.goto(verification.link);
  await page.locator("#form button").click();
  await said("twice", "error");

  const reset = await mailed("password-resets");
  await page.goto(reset.link);
  await page.locator("#new-password").fill("short");
  seen.addresses.reset = page.url();
  await page.locator("#form button").click();
  await said("weak", "error");
  await page.locator("#new-password").fill(password);
  await page.locator("#show").check();
  seen.shown = await page.locator("#new-password").getAttribute("type");
  await page.locator("#form button").click();
  await said("reset", "done");
  seen.formIsGone = await page.locator("#form").isHidden();

  await page.goto(`${base}/reset-password`);
  await said("without", "error");
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));

// Follows the links of emails in Chromium and prints its observations as JSON.
// Usage: node account.mjs <base URL> <current password> <new password>
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, current, password] = process.argv.slice(2);
const email = "mia@example.com";
const observed = { console: [], withToken: [], addresses: {}, messages: {} };
const profile = await mkdtemp(join(tmpdir(), "roster-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
});
page.on("pageerror", (error) => observed.console.push(String(error)));
page.on("request", (request) => {
  if (/token=/.test(request.url())) observed.withToken.push(request.url());
});

async function requestEmail(route) {
  const before = (await readEmails()).length;
  await fetch(`${base}/v1/${route}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  while ((await readEmails()).length === before) await new Promise((resolve) => setTimeout(resolve, 50));
  return (await readEmails())[0];
}

const readEmails = async () =>
  (await fetch(`${base}/dev/mail`, { headers: { Accept: "application/json" } })).json();

async function record(name, kind) {
  await page.locator(`#message.${kind}`).waitFor();
  observed.messages[name] = await page.locator("#message").innerText();
}

try {
  // From the list of emails to the HTML of one, and from its button to the page.
  const verification = await requestEmail("email-verifications");
  await page.goto(`${base}/dev/mail`);
  await page.locator("li a").first().click();
  await page.getByText("Show HTML").click();
  await page.getByText("Verify my email address").first().click();
  await page.locator("#form button").waitFor();
  observed.addresses.verify = page.url();
  await page.locator("#password").fill("not the password");
  await page.locator("#form button").click();
  await record("stranger", "error");
  await page.locator("#password").fill(current);
  await page.locator("#form button").click();
  await record("verified", "done");

  // The same token again, in the same tab.
  await page.goto(verification.link);
  await page.locator("#password").fill(current);
  await page.locator("#form button").click();
  await record("twice", "error");

  const reset = await requestEmail("password-resets");
  await page.goto(reset.link);
  await page.locator("#new-password").fill("short");
  observed.addresses.reset = page.url();
  await page.locator("#form button").click();
  await record("weak", "error");
  await page.locator("#new-password").fill(password);
  await page.locator("#show").check();
  observed.shown = await page.locator("#new-password").getAttribute("type");
  await page.locator("#form button").click();
  await record("reset", "done");
  observed.formIsGone = await page.locator("#form").isHidden();

  await page.goto(`${base}/reset-password`);
  await record("without", "error");
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(observed));

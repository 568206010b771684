// Uses the pages in Chromium, with scripts and without, and prints its observations as JSON.
// Usage: node pages.mjs <base URL> <password> <new password>
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, password, newPassword] = process.argv.slice(2);
const observed = { console: [], withToken: [], addresses: {}, texts: {} };
const profile = await mkdtemp(join(tmpdir(), "roster-browser-"));
const options = {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
};

function watch(page) {
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
  });
  page.on("pageerror", (error) => observed.console.push(String(error)));
  page.on("request", (request) => {
    if (/token=/.test(request.url())) observed.withToken.push(request.url());
  });
  return page;
}

const readEmails = async () =>
  (await fetch(`${base}/dev/mail`, { headers: { Accept: "application/json" } })).json();

// Returns the email with a link that an action has led to; notices of earlier actions come late.
async function emailOf(action) {
  const before = new Set((await readEmails()).map((email) => email.id));
  await action();
  for (;;) {
    const found = (await readEmails()).find((email) => !before.has(email.id) && email.link);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const requestVerification = () =>
  fetch(`${base}/v1/email-verifications`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: "mia@example.com" }),
  });

const submit = (page) => page.locator("main form button[type=submit]").first().click();
const text = (page, selector) => page.locator(selector).first().innerText();
const path = (page) => new URL(page.url()).pathname;

async function signUp(page, name) {
  await page.goto(`${base}/sign-up`);
  await page.fill("#email", `${name}@example.com`);
  await page.fill("#username", name);
  await page.fill("#password", password);
  await submit(page);
  await page.waitForURL("**/account");
}

async function signIn(page, login, secret) {
  await page.goto(`${base}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", secret);
  await submit(page);
}

async function withScripts() {
  const browser = await chromium.launchPersistentContext(profile, options);
  const page = watch(await browser.newPage());

  await page.goto(`${base}/sign-up`);
  await page.fill("#email", "mia");
  await submit(page);
  await page.locator("[aria-invalid]").first().waitFor();
  observed.focus = await page.evaluate(() => document.activeElement.id);
  observed.faulty = await page.locator("[aria-invalid=true]").evaluateAll((all) => all.map((one) => one.id));
  await signUp(page, "mia");
  observed.texts.signedUp = await text(page, ".notice");
  const cookies = await browser.cookies();
  observed.cookies = cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));
  observed.scriptsSee = await page.evaluate(() => document.cookie);

  // From the list of emails to the HTML of one, and from its button to the page.
  const verification = await emailOf(requestVerification);
  await page.goto(`${base}/dev/mail`);
  await page.locator("li a").first().click();
  await page.getByText("Show HTML").click();
  await page.getByText("Verify my email address").first().click();
  await page.locator("#token").waitFor({ state: "hidden" });
  observed.addresses.verify = page.url();
  await submit(page);
  await page.waitForURL("**/account");
  observed.texts.verified = await text(page, ".notice");

  // The same token again, in the same tab.
  await page.goto(verification.link);
  await submit(page);
  observed.texts.twice = await text(page, ".notice, .error, .alert");

  // A form of another site.
  await page.goto(`data:text/html,<form method=post action="${base}/sign-out"><button>x</button></form>`);
  await page.locator("button").click();
  await page.waitForURL(`${base}/sign-out`);
  observed.texts.foreign = await text(page, "main");
  await page.goto(`${base}/account`);
  observed.stillSignedIn = path(page);

  // Sign out, and go back.
  await page.locator("header button").click();
  await page.waitForURL("**/sign-in");
  observed.texts.signedOut = await text(page, ".notice");
  await page.goBack();
  await page.waitForLoadState();
  observed.afterBack = path(page);

  await signIn(page, "mia", "not the password");
  observed.texts.wrong = await text(page, ".alert");
  observed.kept = await page.inputValue("#login");

  const reset = await emailOf(async () => {
    await page.goto(`${base}/forgot-password`);
    await page.fill("#email", "mia@example.com");
    await submit(page);
    await page.waitForURL("**/sign-in");
  });
  await page.goto(reset.link);
  await page.fill("#new_password", "short");
  observed.addresses.reset = page.url();
  await page.getByLabel("Show the password").check();
  observed.shown = await page.getAttribute("#new_password", "type");
  await submit(page);
  observed.texts.weak = await text(page, "#new_password-error");
  await page.fill("#new_password", newPassword);
  await submit(page);
  await page.waitForURL("**/account");
  observed.texts.reset = await text(page, ".notice");
  await browser.close();
}

async function withoutScripts() {
  const browser = await chromium.launch(options);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = watch(await context.newPage());
  const plain = {};
  await signUp(page, "noa");
  plain.signedUp = path(page);
  await page.locator("header button").click();
  await page.waitForURL("**/sign-in");
  const email = await emailOf(async () => {
    await page.goto(`${base}/forgot-password`);
    await page.fill("#email", "noa@example.com");
    await submit(page);
    await page.waitForURL("**/sign-in");
  });
  await page.goto(email.link.split("#")[0]);
  await page.fill("#token", new URLSearchParams(email.link.split("#")[1]).get("token"));
  await page.fill("#new_password", newPassword);
  await submit(page);
  await page.waitForURL("**/account");
  plain.reset = await text(page, ".notice");
  observed.plain = plain;
  await browser.close();
}

try {
  await withScripts();
  await withoutScripts();
} finally {
  await rm(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(observed));

// Follows the README from the start page, by links and buttons only; prints its observations as JSON.
// Usage: node newcomer.mjs <base URL> <password of a new user>
import { chromium } from "playwright-core";
import { codeOf } from "./authenticator.mjs";
import { CHROMIUM } from "./swagger_ui.mjs";

const [base, password] = process.argv.slice(2);
const observed = { errors: [] };
const browser = await chromium.launch(CHROMIUM);
const page = await (await browser.newContext({ locale: "en-US" })).newPage();
page.setDefaultTimeout(20_000);
page.on("console", (message) => message.type() === "error" && observed.errors.push(message.text()));
page.on("pageerror", (error) => observed.errors.push(String(error)));

const follow = (name) => page.getByRole("link", { name, exact: true }).first().click();
const press = (name) => page.getByRole("main").getByRole("button", { name, exact: true }).click();
const type = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
const notice = () => page.locator(".notice").innerText();

// The mailbox shows an email once it is sent, and says that reloading shows new ones.
async function openEmail(subject) {
  while (!(await page.getByRole("link", { name: subject }).count())) await page.reload();
  await follow(subject);
}

try {
  await page.goto(base);
  await follow("Create an account");
  await type("Email address", "robin@example.com");
  await type("Username (optional)", "robin");
  await type("Password", password);
  await press("Create the account");
  observed.registered = await notice();

  await follow("Second factor");
  observed.first = await page.locator("main p").nth(1).innerText();
  await page.getByRole("main").getByRole("link", { name: "Email address" }).click();
  await press("Send a verification email");
  observed.sent = await notice();
  await follow("mailbox");
  await openEmail("Verify your email address");
  await page.getByRole("main").getByRole("link").first().click();
  await press("Verify my email address");
  observed.verified = await notice();

  await follow("Second factor");
  await press("Set up a second factor");
  const secret = (await page.locator(".secret").innerText()).replaceAll(" ", "");
  await type("Code", codeOf(secret, -1));
  await press("Enable the second factor");
  observed.enabled = await notice();
  await follow("I have kept them");
  await page.getByRole("button", { name: "Sign out" }).click();
  observed.signedOut = await notice();

  await type("Username or email address", "robin");
  await type("Password", password);
  await press("Sign in");
  await type("Code", codeOf(secret));
  await press("Sign in");
  await page.waitForURL("**/account");
  await page.getByRole("button", { name: "Sign out" }).click();

  await follow("start page");
  await page.getByRole("button", { name: /^Sign in as john/ }).click();
  await page.waitForURL("**/admin");
  await type("Beginning of a name or email address", "robin@example.com");
  await press("Show");
  await follow("robin");
  await follow("Suspend");
  await press("Suspend");
  observed.suspended = await notice();
  observed.status = await page.locator("dd .tag").first().innerText();
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

// Registers, signs in and suspends a user by the keyboard alone; prints its observations as JSON.
// Usage: node keyboard.mjs <base URL> <password of the demo users> <password of a new user>
import { chromium } from "playwright-core";
import { CHROMIUM } from "./swagger_ui.mjs";

const MAX_STEPS = 60;
const [base, password, theirs] = process.argv.slice(2);
const observed = { withoutFocus: [] };
const browser = await chromium.launch(CHROMIUM);
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(20_000);

// The element with the focus: its name, and whether people see that it has the focus.
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element.labels?.[0]?.textContent ?? element.getAttribute("aria-label") ?? element.textContent;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { name: label.trim(), isVisible: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
  });

// Goes on to the element with this name, as someone who listens to the names.
async function tabTo(name) {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const found = await focused();
    if (found.name === name) return;
    await page.keyboard.press("Tab");
    const next = await focused();
    if (!next.isVisible && next.name) observed.withoutFocus.push(`${page.url()}: ${next.name}`);
  }
  throw new Error(`the keyboard does not lead to "${name}" at ${page.url()}`);
}

async function follow(name, url) {
  await tabTo(name);
  await Promise.all([page.waitForURL(url), page.keyboard.press("Enter")]);
}

async function type(name, text) {
  await tabTo(name);
  await page.keyboard.type(text);
}

const notice = () => page.locator(".notice").innerText();

try {
  await page.goto(`${base}/`);
  await follow("Create an account", "**/sign-up");
  // A rejected form takes the keyboard to the first fault.
  await type("Email address", "lee");
  await page.keyboard.press("Enter");
  await page.locator("[aria-invalid]").first().waitFor();
  observed.firstFault = (await focused()).name;
  await page.keyboard.press("Control+A");
  await page.keyboard.type("lee@example.com");
  await type("Username (optional)", "lee");
  await type("Password", theirs);
  await tabTo("Show the password");
  await page.keyboard.press("Space");
  observed.shown = await page.getAttribute("#password", "type");
  await follow("Create the account", "**/account");
  observed.registered = await notice();
  await page.reload();
  await follow("Skip to the content", "**/account#main");
  observed.skippedTo = await page.evaluate(() => document.activeElement.id);
  await page.reload();
  await follow("Sign out", "**/sign-in");

  await type("Username or email address", "john");
  await type("Password", password);
  await Promise.all([page.waitForURL("**/account"), page.keyboard.press("Enter")]);
  await follow("Console", "**/admin");
  await type("Beginning of a name or email address", "lee");
  await Promise.all([page.waitForURL("**/admin?q=lee*"), page.keyboard.press("Enter")]);
  await follow("lee", "**/admin/users/*");
  await follow("Suspend", "**/suspend");
  await follow("Suspend", /users\/[0-9a-f-]+$/);
  observed.suspended = await notice();
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

// An administrator's day in Chromium; prints its observations as JSON.
// Usage: node console.mjs <base URL> <password of the demo users>
import { chromium } from "playwright-core";
import { emailTo } from "./people.mjs";

const [base, password] = process.argv.slice(2);
const observed = { console: [] };
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

async function open(options = {}) {
  const context = await browser.newContext(options);
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
  await page.fill("#full_name", "Jane <i>Doe</i>");
  await press(page, "Save the fields");
  observed.saved = await text(page, ".notice");
  observed.name = await text(page, "dd bdi");
  await page.getByRole("main").getByRole("link", { name: "Suspend" }).click();
  observed.consequence = await text(page, "main p");
  await press(page, "Suspend");
  observed.suspended = await text(page, ".notice");

  const other = await open();
  await other.goto(`${base}/sign-in`);
  await other.fill("#login", "jane");
  await other.fill("#password", password);
  await press(other, "Sign in");
  observed.janeSees = await text(other, ".alert");

  await page.getByRole("main").getByRole("link", { name: "Reactivate" }).click();
  await press(page, "Reactivate");
  // She has forgotten her password and tries until she is locked out.
  await other.goto(`${base}/sign-in`);
  observed.attempts = 0;
  do {
    await other.fill("#login", "jane");
    await other.fill("#password", "a wrong password");
    await press(other, "Sign in");
    await other.locator(".alert").waitFor();
    observed.attempts += 1;
    observed.lockout = await text(other, ".alert");
  } while (!observed.lockout.startsWith("Too many") && observed.attempts < 20);
  await page.reload();
  observed.failures = await page.locator("dt:has-text('Failed sign-ins') + dd").innerText();
  await page.getByRole("main").getByRole("link", { name: "End the lockout" }).click();
  await press(page, "End the lockout");
  observed.unlocked = await text(page, ".notice");
  await page.getByRole("main").getByRole("link", { name: "Send a password reset" }).click();
  await press(page, "Send a password reset");
  observed.reset = await text(page, ".notice");
  observed.emailed = (await emailTo("jane@example.com", "Reset your password", base)).link;
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

try {
  await day();
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

// Uses the pages of an account in Chromium and prints its observations as JSON.
// Usage: node account.mjs <base URL> <password> <new password>
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { codeOf } from "./authenticator.mjs";

const [base, password, newPassword] = process.argv.slice(2);
const observed = { console: [], overflow: [] };
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 390, height: 800 } });
const page = await context.newPage();
page.setDefaultTimeout(20_000);
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
});
page.on("pageerror", (error) => observed.console.push(String(error)));

// Returns what a camera reads from an image.
async function scan(image) {
  const file = fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"));
  const { buffer } = new Uint8Array(await readFile(file));
  prepareZXingModule({ overrides: { wasmBinary: buffer } });
  return (await readBarcodes(new Uint8Array(image), { formats: ["QRCode"] })).map((code) => code.text);
}

const text = (selector) => page.locator(selector).first().innerText();
const press = (name) => page.getByRole("main").getByRole("button", { name, exact: true }).click();
const open = async (path) => {
  await page.goto(`${base}${path}`);
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) observed.overflow.push(path);
};
const readEmails = async () =>
  (await fetch(`${base}/dev/mail`, { headers: { Accept: "application/json" } })).json();
async function emailOf(action) {
  const before = (await readEmails()).length;
  await action();
  while ((await readEmails()).length === before) await new Promise((resolve) => setTimeout(resolve, 50));
  return (await readEmails()).find((email) => email.link);
}

try {
  await open("/sign-up");
  await page.fill("#email", "kim@example.com");
  await page.fill("#username", "kim");
  await page.fill("#password", password);
  await press("Create the account");
  await page.waitForURL("**/account");

  await page.fill("#full_name", "Kim \u05d0 <b>bold</b>");
  await press("Save the name");
  observed.profile = await text(".notice");
  observed.name = await page.inputValue("#full_name");

  await open("/account/email");
  const verification = await emailOf(() => press("Send a verification email"));
  await page.goto(verification.link);
  await press("Verify my email address");
  observed.verified = await text(".notice");

  await open("/account/email");
  const change = await emailOf(async () => {
    await page.fill("#email", "kim@example.org");
    await press("Change the address");
  });
  observed.pending = await text("dl");
  await page.goto(change.link);
  await press("Verify my email address");
  await open("/account/email");
  observed.email = await text("dl");

  await open("/account/second-factor");
  await press("Set up a second factor");
  const secret = (await text(".secret")).replaceAll(" ", "");
  const [scanned] = await scan(await page.screenshot());
  observed.scannedSecret = new URL(scanned).searchParams.get("secret") === secret;
  observed.issuer = new URL(scanned).searchParams.get("issuer");
  await page.fill("#otp", codeOf(secret, -1));
  await press("Enable the second factor");
  const codes = (await text(".codes")).split("\n");
  const download = page.waitForEvent("download");
  await press("Download");
  observed.codes = codes.length;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await press("Copy");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  observed.copied = (await page.evaluate(() => navigator.clipboard.readText())) === codes.join("\n");
  await page.evaluate(() => (globalThis.print = () => (document.title = "printed")));
  await press("Print");
  observed.printed = (await page.title()) === "printed";
  await page.emulateMedia({ media: "print" });
  observed.onPaper = [await page.locator(".codes").isVisible(), await page.locator("nav").isVisible()];
  await page.emulateMedia({ media: null });
  observed.downloaded = (await readFile(await (await download).path(), "utf8")).trim() === codes.join("\n");

  // Another browser signs in with the code, and is ended from here.
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${base}/sign-in`);
  await other.fill("#login", "kim@example.org");
  await other.fill("#password", password);
  await other.getByRole("button", { name: "Sign in" }).click();
  await other.waitForURL("**/sign-in/code");
  await other.fill("#otp", codeOf(secret));
  await other.getByRole("button", { name: "Sign in" }).click();
  await other.waitForURL("**/account");
  await open("/account/sessions");
  observed.sessions = await page.locator(".rows > li").count();
  await page.locator(".rows > li", { hasNotText: "this browser" }).getByRole("button").click();
  observed.ended = await text(".notice");
  await other.goto(`${base}/account`);
  observed.otherIsAt = new URL(other.url()).pathname;

  await open("/account/api-keys");
  await page.fill("#name", "nightly");
  await press("Create the key");
  const key = await text("#copied");
  const me = await fetch(`${base}/v1/users/me`, { headers: { Authorization: `Bearer ${key}` } });
  observed.keyWorks = me.status;

  await open("/account/password");
  await page.fill("#current_password", password);
  await page.fill("#new_password", newPassword);
  await press("Change the password");
  observed.password = await text(".notice");

  await open("/account/activity");
  observed.events = (await page.locator("tbody tr td:nth-child(2)").allInnerTexts());

  await open("/account/data");
  const file = page.waitForEvent("download");
  await press("Download my data");
  observed.exported = JSON.parse(await readFile(await (await file).path(), "utf8")).user.email;
  await page.fill("#username", "kim");
  await press("Delete my account");
  await page.waitForURL("**/sign-in");
  observed.deleted = await text(".notice");
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

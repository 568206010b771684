// A product's pages in Chromium: its colors, logo, language and templates; axe on all of them.
// Usage: node branding.mjs <base URL> <password of the demo users>
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, password] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const observed = { console: [], axe: [], overflow: [], languages: {}, titles: {}, checked: 0 };
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

async function open(options) {
  // axe is a script that the policy of the pages does not allow.
  const context = await browser.newContext({ bypassCSP: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => observed.console.push(String(error)));
  return page;
}

async function check(page, name) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  observed.axe.push(...violations.map((found) => `${name}: ${found.id}: ${found.nodes[0].html}`));
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) observed.overflow.push(name);
  observed.checked += 1;
}

const style = (page, selector, property) =>
  page.locator(selector).first().evaluate((one, name) => getComputedStyle(one)[name], property);

try {
  for (const [locale, colorScheme, width] of [["de-DE", "light", 390], ["es-ES", "dark", 1280], ["fr-FR", "light", 1280]]) {
    const page = await open({ locale, colorScheme, viewport: { width, height: 800 } });
    await page.goto(`${base}/sign-in`);
    observed.languages[locale] = await page.evaluate(() => document.documentElement.lang);
    observed.titles[locale] = await page.title();
    observed[`${colorScheme}Button`] = await style(page, "main form button[type=submit]", "backgroundColor");
    observed.logo ??= await page.locator("img.logo").evaluate((image) => [image.width, image.height, image.alt]);
    observed.help ??= await page.locator("footer a[href^='https:']").getAttribute("href");
    observed.own ??= await page.locator("main .own").innerText();
    await check(page, `${locale} sign in`);
    await page.locator("main form button[type=submit]").first().click();
    await page.locator("[aria-invalid=true]").first().waitFor();
    await check(page, `${locale} rejected`);
    await page.fill("#login", "john");
    await page.fill("#password", password);
    await page.locator("main form button[type=submit]").first().click();
    await page.waitForURL("**/account");
    for (const path of ["/account", "/account/sessions", "/account/api-keys", "/account/nothing", "/admin", "/admin/users/new", "/admin/events?user=john"]) {
      await page.goto(`${base}${path}`);
      await check(page, `${locale} ${path}`);
    }
    await page.goto(`${base}/admin?q=jane`);
    await page.getByRole("link", { name: "jane", exact: true }).click();
    await check(page, `${locale} user`);
  }
  // The same policy as ever, with the scripts of the page and nothing else.
  const strict = await (await browser.newContext({ locale: "de-DE" })).newPage();
  strict.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) observed.console.push(message.text());
  });
  await strict.goto(`${base}/sign-up`);
  observed.shown = await strict.locator("label.choice").first().innerText();
  observed.verdicts = [];
  await strict.fill("#username", "lantern-maker");
  for (const typed of ["short", "lantern-maker-2026", "seven lanterns on the pier"]) {
    const before = await strict.locator(".verdict").innerText();
    await strict.fill("#password", typed);
    await strict.waitForFunction((old) => ![old, ""].includes(document.querySelector(".verdict").textContent), before);
    observed.verdicts.push(await strict.locator(".verdict").innerText());
  }
  await strict.fill("#password", "");
  observed.verdicts.push(await strict.locator(".verdict").innerText());
  // A hurried person sends the form at once, and the service takes longer than the check waits.
  observed.checksAfterSending = 0;
  await strict.route("**/sign-up", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await route.fulfill({ contentType: "text/html", body: "<p id=sent>Sent</p>" });
  });
  await strict.fill("#email", "lantern@example.com");
  await strict.fill("#password", "seven lanterns on the pier");
  strict.on("request", (request) => {
    if (request.url().includes("/password-check")) observed.checksAfterSending += 1;
  });
  await strict.locator("main form button[type=submit]").first().click({ noWaitAfter: true });
  await strict.locator("#sent").waitFor();
} finally {
  await browser.close();
}
console.log(JSON.stringify(observed));

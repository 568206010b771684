// Operates the page of Swagger UI in Chromium.
import { chromium } from "playwright-core";

export const CHROMIUM = {
  executablePath: "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

// Opens the page in a new window; errors and warnings of the console are appended to a list.
export async function openDocs(browser, base, messages, options = {}) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) messages.push(message.text());
  });
  page.on("pageerror", (error) => messages.push(String(error)));
  await page.goto(`${base}/docs`);
  await page.locator("#operations-users-list_users").waitFor();
  return page;
}

export const launch = () => chromium.launch(CHROMIUM);

export const operation = (page, id) => page.locator(`[id^="operations-"][id$="-${id}"]`);

export async function listOperations(page) {
  const blocks = await page.locator(".opblock").all();
  const ids = await Promise.all(blocks.map((block) => block.getAttribute("id")));
  return ids.map((id) => id.replace(/^operations-[a-z-]+-/, ""));
}

// Opens or closes an operation; an open one has resolved its references when its responses show.
export async function toggle(block) {
  await block.locator(".opblock-summary-control").click();
}

export async function openOperation(page, id) {
  const block = operation(page, id);
  await toggle(block);
  await block.locator(".responses-table .response").first().waitFor();
  return block;
}

// Clicks Execute, and returns the status and the text of the response.
export async function execute(block) {
  await block.locator(".execute").click();
  const live = block.locator(".live-responses-table tbody tr").first();
  await live.waitFor();
  const status = await live.locator(".response-col_status").innerText();
  const body = live.locator(".highlight-code code, pre.microlight").first();
  return { status: Number(status.trim().slice(0, 3)), text: await body.innerText() };
}

export async function signInAs(page, login) {
  const status = page.locator("#demo output");
  await status.evaluate((output) => (output.value = ""));
  await page.getByRole("button", { name: `Sign in as ${login}` }).click();
  await status.getByText(`Signed in as ${login}.`).waitFor();
}

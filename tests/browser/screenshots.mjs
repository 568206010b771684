// Takes pictures of each page, light, dark and on a phone; prints their names and titles as JSON.
// Usage: node screenshots.mjs <base URL> <password of the demo users> <folder> <SVG for the QR code>
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { mask, treeOf } from "./mask.mjs";
import { CHROMIUM } from "./swagger_ui.mjs";
import { tour, TREES } from "./tour.mjs";

const MAX_HEIGHT = 1600;
const LOOKS = [
  ["light", { width: 1280, height: 800 }, "light"],
  ["dark", { width: 1280, height: 800 }, "dark"],
  ["phone", { width: 390, height: 844 }, "light"],
];
const [base, password, folder, qrCode] = process.argv.slice(2);
const browser = await chromium.launch(CHROMIUM);
const shown = [];

async function take(name, title, page) {
  if (!title) return;
  await mask(page, qrCode);
  for (const [look, viewport, colorScheme] of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const { bottom } = await page.evaluate(() => ({
      bottom: Math.max(...[...document.body.children].map((each) => each.getBoundingClientRect().bottom)) + scrollY + 32,
    }));
    const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(Math.ceil(bottom), MAX_HEIGHT) };
    const png = await page.screenshot({ fullPage: true, clip, animations: "disabled", caret: "hide" });
    await writeFile(join(folder, `${name}-${look}.png`), png);
  }
  await page.setViewportSize(LOOKS[0][1]);
  shown.push([name, title]);
  if (TREES.includes(name)) await writeFile(join(folder, `${name}.yaml`), await treeOf(page));
}

try {
  await tour(browser, base, password, take);
} finally {
  await browser.close();
}
console.log(JSON.stringify(shown));

// Makes a page look alike in each run: times, IDs, secrets and ports are replaced by fixed ones.

// Runs in the page.
function replaceAll(qrCode) {
  for (const each of document.querySelectorAll("footer:has(.local)")) each.remove();
  const HOUR = 3_600_000;
  const newest = Date.UTC(2026, 10, 27, 9, 41);
  const rows = [...document.querySelectorAll("tr, li, dl, p")];
  for (const time of document.querySelectorAll("time")) {
    const row = time.closest("tr, li, dl, p");
    const inRow = [...row.querySelectorAll("time")];
    // Newest first, and within a row the oldest first.
    const age = rows.indexOf(row) * HOUR + (inRow.length - 1 - inRow.indexOf(time)) * 26 * HOUR;
    const isDay = time.textContent.length === 10;
    const exact = new Date(newest - (isDay ? 24 * age : age)).toISOString();
    time.textContent = isDay ? exact.slice(0, 10) : `${exact.slice(0, 10)} ${exact.slice(11, 16)} UTC`;
  }
  for (const each of document.querySelectorAll(".secret")) each.textContent = "JBSW Y3DP EHPK 3PXP ".repeat(2).trim();
  for (const codes of document.querySelectorAll(".codes")) {
    let place = 0;
    codes.textContent = codes.textContent.replace(/[a-z2-7]/g, () => "abcdefghijklmnopqrstuvwxyz234567"[(place += 11) % 32]);
  }
  if (qrCode) for (const each of document.querySelectorAll(".qr")) each.innerHTML = qrCode;
  // Counts are written some seconds later: neither their time nor their number is certain.
  for (const row of document.querySelectorAll(".numbers tbody tr")) {
    const size = row.closest("table").rows.length > 6 ? 1 : 12;
    const found = [3, 41, 2].map((number) => size * (number + ((row.rowIndex * 7) % 5) * 4));
    [...row.querySelectorAll("td:not(.share)")].forEach((cell, index) => (cell.textContent = String(found[index])));
    row.querySelector("rect")?.setAttribute("width", String(found[1] + 20));
  }
  const numbers = new Map();
  const numberOf = (id) => numbers.get(id) ?? numbers.set(id, String(numbers.size + 1)).get(id);
  const replaced = (text) =>
    text
      .replace(/\b(r[a-z]{2}_)[\w-]{20,}/g, (_, prefix) => prefix + "Zq3vX0kT8mW1nR5uY7pL".repeat(2))
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}\b/g, (id) => `01980000-0000-7000-8000-${numberOf(id.slice(-12)).padStart(12, "0")}`)
      .replace(/\b[0-9a-f]{12}\b/g, (id) => (/^0{9}/.test(id) ? id : numberOf(id).padStart(12, "0")))
      .replace(/\babout \d+/g, "about 1250")
      .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:8080");
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = replaced(texts.currentNode.data);
}

// Replaces what differs between runs.
export const mask = (page, qrCode = "") => page.evaluate(replaceAll, qrCode);

// Returns what a screen reader gets of a page, after `mask`.
export const treeOf = async (page) => {
  const tree = await page.locator("body").ariaSnapshot();
  // Where links lead is no part of it, and the URLs of users differ, as do IDs in names of controls.
  const withoutUrls = tree.replace(/:?\n\s+- \/url: .*$/gm, "");
  return `${withoutUrls.replace(/\b(?!01980000)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "(ID)")}\n`;
};

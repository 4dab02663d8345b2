// The page of ffi/examples/browser in headless Chromium: it fills its index, answers as one types,
// and says so when the module is missing.
//
//     node ffi/tests/browser.mjs PLAYWRIGHT_CORE CHROMIUM clawft-kernel.wasm

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [playwright, executablePath, kernel] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const root = new URL("../../", import.meta.url);
const TYPES = { html: "text/html", mjs: "text/javascript", wasm: "application/wasm", gz: "application/gzip" };

/** The project's files, and the module where a release has it. */
let hasModule = true;
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  try {
    const isModule = path === "/dist/clawft-kernel.wasm";
    if (isModule && !hasModule) throw new Error("left out");
    const file = path.endsWith("/") ? `${path}index.html` : path;
    const bytes = await readFile(isModule ? kernel : fileURLToPath(new URL(`.${file}`, root)));
    response.setHeader("content-type", TYPES[file.split(".").at(-1)] ?? "application/octet-stream");
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const address = `http://127.0.0.1:${server.address().port}/ffi/examples/browser/`;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(address);
  await page.waitForSelector("#query:enabled", { timeout: 120_000 });
  console.log(await page.textContent("#state"));

  for (const [typed, wanted] of [
    ["crystallographic space groups", /space group/i],
    ["bluetooth headset", /bluetooth/i],
  ]) {
    await page.fill("#query", "");
    await page.locator("#query").pressSequentially(typed);
    const found = await page.locator("#results li").allTextContents();
    assert.equal(found.length, 10);
    assert.ok(found.some((text) => wanted.test(text)), `${typed}: ${found.join("\n")}`);
    console.log(`${typed}: ${await page.textContent("#state")}: ${found[0]}`);
  }
  await page.fill("#query", "?!");
  assert.equal(await page.locator("#results li").count(), 0);

  hasModule = false;
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector("#state").textContent !== "loading");
  assert.match(await page.textContent("#state"), /could not begin.*clawft-kernel\.wasm: 404/);
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
  server.close();
}

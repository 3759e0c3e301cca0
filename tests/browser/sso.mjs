// Single sign-on in a real browser, with scripts and without: to the provider, back, and on to the page
// that was wanted. What only a browser enforces: the strict cookie, the policy of forms, the way on.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { openBrowser } from "./house.mjs";

const [origin, shots] = process.argv.slice(2);
const PASSWORD = "correct horse battery staple";
mkdirSync(shots, { recursive: true });
const browser = await openBrowser();

async function visitor(javaScriptEnabled) {
  const context = await browser.newContext({ javaScriptEnabled });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (said) => {
    if (said.type() === "error" && page.url().startsWith(origin)) complaints.push(said.text());
  });
  return { context, page, complaints };
}

async function authorise(page, subject) {
  await page.waitForURL((url) => url.origin !== origin);
  await page.fill("input[name=sub]", subject);
  await page.click("text=Authorize >> nth=-1");
}

for (const scripts of [true, false]) {
  const { context, page, complaints } = await visitor(scripts);
  await page.goto(`${origin}/account`);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.screenshot({ path: `${shots}/sso-sign-in.png` });
  await page.click("text=Sign in with");
  await authorise(page, "ana");
  await page.waitForURL(`${origin}/account`);
  assert.match(await page.textContent("main"), /single sign-on/);
  const session = (await context.cookies(origin)).find((one) => one.name === "wordkeep");
  assert.equal(session.sameSite, "Strict");
  assert.ok(session.httpOnly);
  assert.deepEqual(complaints, []);
  await context.close();
}
console.log("ok: there and back in a browser, with scripts and without");

const { context, page, complaints } = await visitor(true);
await page.goto(`${origin}/sign-in`);
await page.click("summary");
await page.fill("input[name=login]", "root");
await page.fill("input[name=password]", PASSWORD);
await page.click("button:has-text('Sign in')");
await page.waitForURL(`${origin}/`);
await page.goto(`${origin}/users/sso`);
await page.screenshot({ path: `${shots}/sso-provider.png`, fullPage: true });
await page.setViewportSize({ width: 390, height: 844 });
const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
assert.equal(wide, false, "scrolls to the side");
await page.setViewportSize({ width: 1280, height: 800 });
await page.click("text=Test");
await authorise(page, "cook");
await page.waitForURL((url) => url.pathname === "/sso/callback");
assert.match(await page.textContent("main"), /kitchen/);
await page.screenshot({ path: `${shots}/sso-claims.png`, fullPage: true });
await page.goto(`${origin}/users/sso`);
assert.equal(new URL(page.url()).pathname, "/users/sso", "the administrator is still signed in");
assert.deepEqual(complaints, []);
await context.close();
console.log("ok: the test of an administrator shows the claims in a browser");
await browser.close();

// Every page of every role in a real browser: no violation of WCAG 2.2 AA that axe finds, in light and
// dark, wide and narrow; no complaint of the browser; nothing wider than a phone; usable without
// scripts and by keys alone. Takes the pictures of the README.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { demonstration, laws, openBrowser, pageOf, tooWide, violations as found } from "./house.mjs";

const [program, pictures] = process.argv.slice(2);
const SIZES = [[1440, 900], [1024, 768], [390, 844]];
const PAGES_MAX = 60;
// What a page may weigh, in bytes of gzip, and how many requests it may need before it is whole.
const WEIGHTS = { htmx: 17_000, scripts: 25_000, styles: 15_000, requests: 6 };
const HTMX = gzipSync(readFileSync("src/http/assets/htmx-2.0.11.min.js"), { level: 9 }).length;
const counted = { pages: 0, checks: 0 };
const { law, failures } = laws();
const violations = (page) => {
  counted.checks += 1;
  return found(page);
};

// Paths that somebody reaches by links, without those that end the session or give a file.
async function walk(page, origin) {
  const seen = new Set(), todo = ["/"], shapes = new Map(), lost = [];
  while (todo.length > 0 && seen.size < PAGES_MAX) {
    const path = todo.shift();
    if (seen.has(path)) continue;
    const answer = await page.goto(origin + path);
    const kind = answer.headers()["content-type"] ?? "";
    if (answer.status() !== 200) lost.push(`${path} answers ${answer.status()}`);
    if (answer.status() !== 200 || !kind.startsWith("text/html")) continue;
    seen.add(path);
    const links = await page.$$eval("a[href^='/']:not([download])", (all) =>
      all.map((link) => link.getAttribute("href").split("#")[0]));
    for (const link of links) {
      // Two of each shape are enough: a hundred conversations are one page.
      const shape = link.replace(/[a-z]+_[0-9A-Z]{26}/g, "ID").replace(/\d+/g, "N").split("?")[0];
      const times = shapes.get(shape) ?? 0;
      if (times >= 2 || seen.has(link) || /\.(json|csv|txt|tar)$/.test(link.split("?")[0])) continue;
      shapes.set(shape, times + 1);
      todo.push(link);
    }
  }
  return { paths: [...seen], lost };
}

const demo = await demonstration(program);
const browser = await openBrowser();
const roles = {};
for (const [role, link] of Object.entries(demo.links)) roles[role] = await pageOf(browser, link);

for (const [role, { page, complaints }] of Object.entries(roles)) {
  let paths = [];
  await law(`x1_every_link_of_${role}_leads_somewhere`, async () => {
    const walked = await walk(page, demo.origin);
    paths = walked.paths;
    counted.pages += paths.length;
    assert.deepEqual(walked.lost, []);
    assert.ok(paths.length >= 3, `only ${paths}`);
  });
  await law(`x1_no_page_of_${role}_weighs_more_than_its_budget`, async () => {
    const weights = new Map();
    const weigh = async (address) => {
      if (!weights.has(address)) {
        const answer = await page.request.get(demo.origin + address);
        weights.set(address, gzipSync(await answer.body(), { level: 9 }).length);
      }
      return weights.get(address);
    };
    const heavy = [];
    for (const path of paths) {
      const html = await (await page.request.get(demo.origin + path)).text();
      const found = (pattern) => [...new Set([...html.matchAll(pattern)].map(([, address]) => address))];
      const scripts = found(/<script src="([^"]+)"/g), styles = found(/<link rel="stylesheet" href="([^"]+)"/g);
      const others = found(/<(?:img|video|audio)[^>]* src="([^"]+)"/g).concat(found(/<link rel="icon"[^>]* href="([^"]+)"/g));
      const sum = async (all) => (await Promise.all(all.map(weigh))).reduce((one, other) => one + other, 0);
      const [ours, looks] = [await sum(scripts) - HTMX, await sum(styles)];
      const requests = 1 + scripts.length + styles.length + others.length;
      if (ours > WEIGHTS.scripts || looks > WEIGHTS.styles || requests > WEIGHTS.requests || scripts.length === 0) {
        heavy.push(`${path}: scripts ${ours}, styles ${looks}, requests ${requests}`);
      }
    }
    assert.deepEqual(heavy, []);
    assert.ok(HTMX <= WEIGHTS.htmx, `htmx weighs ${HTMX}`);
    const told = [...weights].map(([address, bytes]) => `${address.split("/").pop()} ${bytes}`);
    if (role === "lawyer") console.log(`     ${told.join(", ")} bytes of gzip; htmx of it ${HTMX}`);
  });
  for (const scheme of ["light", "dark"]) {
    await law(`axe_finds_nothing_for_${role}_${scheme}`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      const found = [];
      for (const path of paths) {
        await page.goto(demo.origin + path);
        for (const one of await violations(page)) found.push(`${path} ${one}`);
      }
      assert.deepEqual(found, []);
    });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await law(`nothing_is_wider_than_its_window_for_${role}`, async () => {
    const wide = [];
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      for (const path of paths) {
        await page.goto(demo.origin + path);
        const over = await tooWide(page);
        if (over > 0) wide.push(`${path} at ${width}: ${over} px`);
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    assert.deepEqual(wide, []);
  });
  await law(`t7_the_browser_complains_about_nothing_for_${role}`, async () => {
    assert.deepEqual(complaints, []);
    // htmx remembers where it is; nothing that people wrote may be kept.
    const kept = await page.evaluate(() => [localStorage, sessionStorage].flatMap(Object.values));
    for (const value of kept) assert.match(value, /^\/[a-z0-9_./-]*(\?((to|first|trial|search|hits|all|lines|by|none|at|from|day)=[a-z0-9_/+-]*&?)*)?$/i);
  });
}

await law("keys_alone_find_a_promise_and_its_conversation", async () => {
  const { page } = roles.lawyer;
  await page.goto(demo.origin);
  await page.locator("#query:focus").waitFor();
  await page.keyboard.type("discount");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/s\/srch_/);
  await page.waitForSelector(".facet");
  await page.screenshot({ path: join(pictures, "search.png") });
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/c\/cnv_/);
  assert.equal(await page.locator(".message.asked").count(), 1);
  await page.screenshot({ path: join(pictures, "conversation.png") });
});

await law("m6_the_administrator_finds_no_way_to_a_message", async () => {
  const { page } = roles.administrator;
  for (const path of ["/search", "/c", "/retention", "/matters"]) {
    const answer = await page.goto(demo.origin + path);
    assert.equal(answer.status(), 403, path);
  }
});

await law("pages_work_without_scripts", async () => {
  const { page: first } = roles.manager;
  await first.goto(demo.origin);
  const storage = await roles.manager.context.storageState();
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: storage });
  const page = await context.newPage();
  await page.goto(demo.origin + "/search");
  await page.fill("#query", "delivery");
  await page.click("form.search button");
  assert.match(page.url(), /\/s\/srch_/);
  await page.click("text=Show counts");
  assert.ok(await page.locator(".facet").count() > 0);
  await context.close();
});

await law("x1_a_conversation_goes_on_as_it_is_read_and_is_cited_by_a_key", async () => {
  const { page, context } = roles.lawyer;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(demo.origin + "/c");
  const longest = await page.$$eval(".conversation", (rows) => rows
    .map((row) => [Number(row.innerText.match(/([\d,]+) messages/)[1].replace(",", "")), row.querySelector("a").getAttribute("href")])
    .sort(([one], [other]) => other - one)[0]);
  await page.goto(demo.origin + longest[1]);
  const posts = () => page.$$eval(".post", (all) => all.map((post) => [post.id, post.getAttribute("aria-posinset")]));
  let seen = (await posts()).length;
  assert.ok(seen < longest[0], "not all at once");
  for (let turn = 0; turn < 10 && seen < Math.min(longest[0], 600); turn += 1) {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction((before) => document.querySelectorAll(".post").length > before, seen);
    seen = (await posts()).length;
  }
  const all = await posts();
  assert.equal(new Set(all.map(([id]) => id)).size, all.length, "each message once");
  assert.deepEqual(all.map(([, place]) => Number(place)), all.map((_, place) => place + 1));
  assert.ok(all.length <= 600);
  const days = await page.$$eval(".day", (all) => all.map((day) => day.dataset.day));
  assert.deepEqual(days, [...new Set(days)], "each day has one heading");
  await page.locator(".post").nth(5).focus();
  await page.keyboard.press("c");
  await page.waitForSelector(".post[data-copied]");
  const cited = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(cited.includes(all[5][0]) && /SHA-256 of the words [0-9a-f]{64}$/.test(cited), cited);
});

await law("what_a_conversation_prints_has_no_controls", async () => {
  const { page } = roles.lawyer;
  await page.goto(demo.origin + "/c");
  await page.click(".conversation a");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("header.top").isVisible(), false);
  assert.equal(await page.locator("form").first().isVisible(), false);
  assert.ok(await page.locator(".message").first().isVisible());
  await page.emulateMedia({ media: "screen" });
});

await law("pictures_for_the_readme", async () => {
  const { page } = roles["records-officer"];
  await page.goto(demo.origin + "/retention");
  await page.screenshot({ path: join(pictures, "retention.png") });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(demo.origin + "/");
  await page.screenshot({ path: join(pictures, "home-dark.png") });
});

await browser.close();
await law("ctrl_c_leaves_nothing", async () => {
  const { code, left } = await demo.end();
  assert.equal(code, 0);
  assert.deepEqual(left, []);
});
console.log(`${counted.pages} pages, ${counted.checks} checks by axe, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

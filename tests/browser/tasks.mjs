// What people do, in a real browser: setting up until the first hit, every state a page can be in, eleven tasks
// by keys alone, with scripts and without; and what hostile people write, which stays text.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive, demonstration, laws, openBrowser, pageOf, tooWide, violations, watched } from "./house.mjs";

const [program] = process.argv.slice(2);
const { law, failures } = laws();
const PASSWORD = "correct horse 7 battery";
const ACTIONS_MAX = 12;
const PROOF = [3, 9, 17, 22];
const browser = await openBrowser();
const counted = { states: 0 };

// A page in light and dark, wide and on a phone: nothing that axe finds, nothing wider than the window.
async function examined(page, what) {
  counted.states += 1;
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const one of await violations(page)) found.push(`${what} ${colorScheme} ${one}`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 390, height: 844 });
  const over = await tooWide(page);
  if (over > 0) found.push(`${what} is ${over} px too wide for a phone`);
  await page.setViewportSize({ width: 1440, height: 900 });
  assert.deepEqual(found, []);
}

const signIn = async (page, origin, login) => {
  await page.goto(origin + "/sign-in");
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", PASSWORD);
  await page.click("button.primary");
  await page.waitForURL((url) => url.pathname !== "/sign-in");
};

// ---- Setting up, and the states of an archive of its own

await law("x1_from_the_setup_link_to_the_first_hit_in_twelve_actions", async () => {
  const home = mkdtempSync(join(tmpdir(), "wordkeep-setup-"));
  const house = await archive(program, home);
  try {
    const link = await house.setup();
    const { page, complaints } = await watched(browser, house.origin, { acceptDownloads: true });
    let actions = 0;
    const act = (what) => { actions += 1; return what; };
    await act(page.goto(link));
    await page.waitForFunction(() => document.getElementById("token").value !== "");
    await examined(page, "the first administrator");
    await act(page.fill("input[name=login]", "ana"));
    await act(page.fill("input[name=password]", PASSWORD));
    await act(page.click("button.primary"));
    await page.waitForURL(/\/setup\/keys/);
    await examined(page, "the recovery kit");
    const [file] = await Promise.all([page.waitForEvent("download"), act(page.click("text=Download recovery kit"))]);
    const letters = readFileSync(await file.path(), "utf8").split("\n")[0].split("-").slice(1).join("");
    await page.fill("input[name=proof]", "0000");
    await page.click("text=Prove it and go on");
    assert.equal(await page.locator(".refused").count(), 1, "a wrong proof is refused at its place");
    await act(page.fill("input[name=proof]", PROOF.map((place) => letters[place - 1]).join("")));
    await act(page.click("text=Prove it and go on"));
    await page.waitForURL(/\/setup\/organisation/);
    await examined(page, "the organisation");
    await page.click("text=Back");
    assert.match(page.url(), /\/setup\/keys/, "back works");
    await page.click("a:has-text('Go on')");
    await act(page.click("text=Later"));
    await page.waitForURL(/\/setup\/chat/);
    await examined(page, "the first chat");
    await act(page.click("text=Load sample data"));
    await page.waitForSelector("text=Look at the sample", { timeout: 180_000 });
    await act(page.click("button:has-text('Look at the sample')"));
    await page.waitForURL(/\/search/);
    await act(page.fill("#query", "discount"));
    await act(page.keyboard.press("Enter"));
    await page.waitForSelector(".line.hit");
    assert.ok(actions <= ACTIONS_MAX, `${actions} actions`);
    assert.match(await page.locator(".bar").innerText(), /Sample data/);
    assert.deepEqual(complaints, []);
    await page.context().close();
  } finally {
    await house.end();
    rmSync(home, { recursive: true });
  }
});

await law("x1_every_state_of_an_archive_is_told_and_can_be_used", async () => {
  const home = mkdtempSync(join(tmpdir(), "wordkeep-states-"));
  const secret = join(home, "passphrase");
  writeFileSync(secret, "a long passphrase that nobody knows\n", { mode: 0o600 });
  const opened = () => archive(program, home, ["--passphrase-file", secret]);
  let house = await opened();
  try {
    const link = await house.setup();
    let { page, complaints } = await watched(browser, house.origin);
    await page.goto(link);
    await page.waitForFunction(() => document.getElementById("token").value !== "");
    await page.fill("input[name=login]", "ana");
    await page.fill("input[name=password]", PASSWORD);
    await page.click("button.primary");
    await page.waitForURL(/\/setup\/keys/);
    await page.goto(house.origin + "/setup/organisation");
    await page.fill("input[name=organisation]", "Nordwind & Söhne <b>GmbH</b>");
    await page.fill("input[name=zone]", "Europe/Lisbon");
    await page.click("text=Keep it and go on");
    await page.waitForURL(/\/setup\/chat/);
    assert.equal(await page.locator(".brand .house").innerText(), "Nordwind & Söhne <b>GmbH</b>");
    await page.goto(house.origin + "/users");
    for (const [login, role] of [["law", "lawyer"], ["rec", "records-officer"]]) {
      await page.goto(house.origin + "/users");
      const form = page.locator("form", { has: page.locator("input[name=login]") });
      await form.locator("input[name=login]").fill(login);
      await form.locator("select[name=role]").selectOption(role);
      await form.locator("input[name=password]").fill(PASSWORD);
      await form.locator("button[type=submit]").click();
    }
    // No permission: who can grant it is said.
    const refused = await page.goto(house.origin + "/search");
    assert.equal(refused.status(), 403);
    assert.match(await page.locator("main").innerText(), /administrator/i);
    await examined(page, "no permission");
    const lost = await page.goto(house.origin + "/nowhere");
    assert.equal(lost.status(), 404);
    await examined(page, "nothing there");
    await page.goto(house.origin + "/setup/keys");
    // Empty: what it means and what to do.
    for (const login of ["law", "rec"]) {
      await page.context().clearCookies();
      await signIn(page, house.origin, login);
      for (const path of ["/", "/search", "/c", "/imports", "/matters", "/retention", "/labels", "/events",
        "/dispositions", "/requests", "/help/tour"]) {
        const answer = await page.goto(house.origin + path);
        assert.equal(answer.status(), 200, `${login} ${path}`);
        await examined(page, `${login} ${path}, empty`);
      }
      await page.goto(house.origin + "/search");
      await page.fill("#query", "quetzalix");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".empty");
      await examined(page, "no hits");
    }
    await page.goto(house.origin + "/search");
    await page.fill("#query", "discount AND (OR");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".refused");
    await examined(page, "a query that is not clear");
    await page.context().close();
    await house.end();
    // An older copy of the record: for reading alone.
    cpSync(join(home, "data"), join(home, "elder"), { recursive: true });
    house = await opened();
    ({ page } = await watched(browser, house.origin));
    await signIn(page, house.origin, "rec");
    await page.goto(house.origin + "/labels");
    await page.fill("#name", "contract");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".notice.good");
    await page.context().close();
    await house.end();
    // All but the published log is put back: it says that there was more.
    cpSync(join(home, "elder"), join(home, "data"), { recursive: true, filter: (path) => !path.endsWith("/log") });
    house = await opened();
    ({ page } = await watched(browser, house.origin));
    await page.goto(house.origin + "/sign-in");
    assert.match(await page.locator(".bar.warn").innerText(), /Read-only/);
    await examined(page, "read-only");
    await page.context().close();
    await house.end();
    // Sealed: somebody has to type the passphrase.
    house = await archive(program, home);
    ({ page } = await watched(browser, house.origin));
    await page.goto(house.origin + "/search");
    assert.match(page.url(), /\/unlock/);
    await examined(page, "sealed");
    await page.fill("input[type=password]", "a long passphrase that nobody knows");
    await page.click("button.primary");
    await page.waitForURL(/\/sign-in/);
    await page.context().close();
    assert.deepEqual(complaints, []);
  } finally {
    await house.end();
    rmSync(home, { recursive: true });
  }
});

// ---- What hostile people write

const demo = await demonstration(program);
const lawyer = await pageOf(browser, demo.links.lawyer);
const officer = await pageOf(browser, demo.links["records-officer"]);

const ZALGO = "Z" + "\u0301\u0316\u033f\u0489".repeat(60) + "algo";
const BIDI = "\u202egnp.exe\u2066 \u2067abc\u2069 \u200f\u200e";
const HOSTILE = [
  "<script>window.ran = 1</script>",
  "<img src=x onerror=\"window.ran = 1\">",
  "\"><svg onload=\"window.ran = 1\">",
  "' autofocus onfocus='window.ran = 1' x='",
  "<a href=\"javascript:window.ran = 1\">offer</a>",
  "<div hx-get=\"/hostile\" hx-trigger=\"load\">loads</div>",
  "<b data-hx-post=\"/hostile\" hx-trigger=\"revealed\">shows</b>",
  "<form action=\"/hostile\"><input name=csrf></form>",
  "<style>* { display: none }</style>",
  "<iframe srcdoc=\"<script>parent.ran = 1</script>\"></iframe>",
  "<meta http-equiv=refresh content=\"0;url=/hostile\">",
  "</title></head></main></html><script>window.ran = 1</script>",
  "{{constructor.constructor('window.ran = 1')()}} ${window.ran = 1}",
  "=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(1+1)",
  BIDI, ZALGO, "null \u0000 byte", "bell \u0007 escape \u001b[31m red",
  "\u{1F468}\u200d\u{1F469}\u200d\u{1F467}\u200d\u{1F466} ".repeat(50),
  "x".repeat(65_536), "many words ".repeat(5_957),
];
const NAMES = ["<img src=x onerror=window.ran=1>", "Eve hx-get=/hostile", `${BIDI} Mallory`, `${ZALGO} Trudy`, "=1+1",
  "n".repeat(300)];

function chat() {
  const lines = HOSTILE.flatMap((text, turn) => NAMES.slice(0, 2).map((_, side) => {
    const minute = String(turn).padStart(2, "0");
    const name = NAMES[(turn + side * 3) % NAMES.length];
    return `[28/12/2023, 1${side}:${minute}:00] ${name}: ${side === 0 ? text : `answers ${turn} hostileword`}`;
  }));
  lines.push("[29/12/2023, 10:00:00] Eve: \u200e<attached: 00000001-<img src=x onerror=window.ran=1>.jpg>");
  lines.sort();
  return lines.join("\r\n") + "\r\n";
}

const isInert = async ({ page, complaints, asked }, what) => {
  assert.equal(await page.evaluate(() => window.ran), undefined, `${what}: something ran`);
  assert.deepEqual(asked.filter((path) => path.includes("hostile")), [], `${what}: something was asked`);
  assert.deepEqual(complaints, [], what);
};

let hostileChat = "";
await law("x1_a_hostile_chat_is_imported_and_stays_text_everywhere", async () => {
  const { page } = lawyer;
  await page.goto(demo.origin + "/imports");
  await page.setInputFiles("#files", {
    name: "WhatsApp Chat with <img src=x onerror=window.ran=1> hx-get=_hostile.txt",
    mimeType: "text/plain", buffer: Buffer.from(chat()),
  });
  await page.click("text=Send and import");
  await page.waitForURL(/\/imports\/uploads\//);
  await isInert(lawyer, "the upload");
  for (let turn = 0; turn < 100 && !(await page.locator("text=imported").count()); turn += 1) {
    await page.waitForTimeout(300);
    await page.goto(page.url());
  }
  await examined(page, "the upload of a hostile chat");
  await page.goto(demo.origin + "/search");
  await page.fill("#query", "hostileword");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".line.hit");
  hostileChat = (await page.locator(".group h2 a").first().getAttribute("href")).split("?")[0];
  const results = page.url();
  for (const path of [results, hostileChat, "/c", "/imports", "/", "/matters?conversation=" + hostileChat.slice(3)]) {
    const answer = await page.goto(path.startsWith("http") ? path : demo.origin + path);
    assert.equal(answer.status(), 200, path);
    await page.waitForTimeout(200);
    await isInert(lawyer, path);
    await examined(page, `${path} with hostile words`);
  }
});

await law("x1_each_hostile_message_is_shown_as_it_was_written", async () => {
  const { page } = lawyer;
  assert.notEqual(hostileChat, "");
  await page.goto(demo.origin + hostileChat);
  const bodies = await page.locator(".message .body").allInnerTexts();
  for (const text of HOSTILE.filter((text) => text.startsWith("<"))) {
    assert.ok(bodies.some((body) => body.includes(text)), `not shown as written: ${text}`);
  }
  const details = await page.$$eval(".message .acts a[href^='/m/']", (all) =>
    all.map((link) => link.getAttribute("href")).filter((href) => !href.endsWith("why")));
  assert.ok(details.length >= HOSTILE.length);
  for (const path of details.slice(0, 30)) {
    await page.goto(demo.origin + path);
    for (const summary of await page.locator("summary").all()) await summary.click();
    await isInert(lawyer, path);
    const over = await tooWide(page);
    assert.equal(over, 0, `${path} is ${over} px too wide`);
    await page.goto(demo.origin + path + "/why");
    await isInert(lawyer, path);
  }
});

await law("x1_hostile_queries_are_read_or_refused_and_never_run", async () => {
  const { page } = lawyer;
  for (const query of [...HOSTILE.filter((text) => text.length < 9_000), ...NAMES, "/(a+)+$/", "from:" + BIDI]) {
    await page.goto(demo.origin + "/search");
    await page.fill("#query", query.replaceAll("\u0000", ""));
    const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.ok(answer.status() < 500, `${query}: ${answer.status()}`);
    await page.waitForTimeout(50);
    await isInert(lawyer, query);
    assert.equal(await tooWide(page), 0, `${query} makes the page too wide`);
    assert.ok(!page.url().includes("ran"), "no query stands in an address");
  }
});

await law("x1_states_of_choosing_counting_and_not_finding", async () => {
  const { page, complaints } = lawyer;
  await page.goto(demo.origin + "/search");
  await page.fill("#query", "price");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/s\/srch_/);
  const hits = page.url();
  await page.locator(".tick").first().check();
  await page.locator(".tick").nth(3).click({ modifiers: ["Shift"] });
  assert.equal(await page.locator(".chosen .tally").innerText(), "4 chosen");
  await examined(page, "hits that are chosen");
  const [search, ids] = await page.evaluate(() => [location.pathname.split("/")[2],
    [...document.querySelectorAll(".tick:checked")].map((box) => box.value)]);
  const states = {
    "hits by day": `${hits}?by=day&lines=3`, "hits one by one": `${hits}?by=flat&lines=0`,
    "nothing chosen": `${hits}?none=1`, "a hold of what was chosen": `/matters?search=${search}&hits=${ids.join("+")}`,
    "an export of what was chosen": `/s/${search}/export/${ids.join(".")}`,
    "labels for what was chosen": `/labels/put?search=${search}&hits=${ids.join("+")}`,
    "months and people": `${hostileChat}/figures`, "nothing here": "/nowhere", "terms": "/terms", "a problem": "/problems/stale",
  };
  for (const [what, path] of Object.entries(states)) {
    await page.goto(new URL(path, demo.origin).href);
    assert.equal(await page.locator("nav.sections").count(), 1, `${what} keeps the navigation`);
    await examined(page, what);
  }
  await page.goto(demo.origin + "/terms");
  await page.fill("textarea", `price\n"delivery date"\non:05/03/2024\n${HOSTILE[1]}`);
  await page.click("button.primary");
  await page.waitForSelector("table.terms");
  await examined(page, "a report on terms");
  await isInert(lawyer, "a report on terms");
  assert.deepEqual(complaints, []);
});

await law("t7_nothing_that_people_wrote_is_kept_by_the_browser", async () => {
  for (const { page } of [lawyer, officer]) {
    const kept = await page.evaluate(() => [localStorage, sessionStorage].flatMap(Object.values));
    for (const value of kept) assert.match(value, /^\/[a-z0-9_./-]*(\?((to|first|trial|search|hits|all|lines|by|none|at|from|day)=[a-z0-9_/+-]*&?)*)?$/i);
  }
});

// ---- Eleven tasks by keys alone

async function tabTo(page, selector, words = "") {
  for (let turn = 0; turn < 250; turn += 1) {
    const there = await page.evaluate(([selector, words]) => {
      const here = document.activeElement;
      return Boolean(here?.matches(selector) && here.textContent.includes(words));
    }, [selector, words]);
    if (there) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by Tab to ${selector} ${words} on ${page.url()}`);
}

async function press(page, selector, words = "") {
  await tabTo(page, selector, words);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

async function write(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.type(text);
}

// Where a page asks for the password once more, it is typed, and the page comes back.
async function proven(page) {
  if (!page.url().includes("/step-up")) return;
  await write(page, "input[name=password]", demo.password);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

const TASKS = {
  async search({ lawyer: page }) {
    await page.goto(demo.origin);
    await page.locator("#query:focus").waitFor();
    await page.keyboard.type("discount");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.ok(await page.locator(".line.hit").count() > 0);
  },
  async open_a_hit_and_go_to_the_next({ lawyer: page }) {
    await press(page, ".hit a.when");
    assert.match(page.url(), /\/c\/cnv_/);
    assert.match(await page.locator(".steps-of-hits > span:not(.button)").first().innerText(), /^hit \d+ of \d+$/);
    const before = page.url();
    await press(page, ".message .steps-of-hits a");
    assert.notEqual(page.url(), before);
    assert.ok(await page.locator(".message.asked mark").count() > 0, "what matched is marked");
  },
  async choose_hits_and_label_them({ lawyer: page }, run) {
    await page.goto(demo.origin + "/labels");
    await write(page, "#name", `chosen ${run}`);
    await press(page, "button", "Make it");
    await page.goto(demo.origin);
    await page.locator("#query:focus").waitFor();
    await page.keyboard.type("price");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    if (run === "with scripts") {
      await page.evaluate(() => document.activeElement.blur());
      for (const key of ["j", "x", "j", "j", "X"]) await page.keyboard.press(key);
      assert.equal(await page.locator(".chosen .tally").innerText(), "3 chosen");
    } else {
      for (let turn = 0; turn < 3; turn += 1) {
        await tabTo(page, ".tick:not(:checked)");
        await page.keyboard.press("Space");
      }
    }
    await press(page, ".chosen button", "Label");
    assert.match(await page.locator("h1").innerText(), /Label 3 chosen messages/);
    await press(page, "button", "Put it on");
    await page.locator("text=3 messages carry the label").waitFor();
  },
  async jump_to_a_date({ lawyer: page }) {
    await page.goto(demo.origin + "/c");
    await press(page, ".conversation a");
    await tabTo(page, "#day");
    await page.keyboard.type("06152025");
    await press(page, ".jump button");
    assert.match(page.url(), /day=2025-06-15/);
  },
  async place_a_label({ lawyer: page }, run) {
    await page.goto(demo.origin + "/labels");
    await write(page, "#name", `contract ${run}`);
    await press(page, "button", "Make it");
    await page.goto(demo.origin + "/c");
    await press(page, ".conversation a");
    await press(page, ".message .acts a", "Details");
    await press(page, "a[href^='/labels/put']");
    await press(page, "button", "Put it on");
    assert.match(await page.locator(".notice.good").innerText(), /audit #\d+/);
  },
  async create_a_hold({ lawyer: page }, run) {
    await page.goto(demo.origin + "/matters");
    await press(page, "main th a, main td a, main li a");
    await press(page, "a[href$='/hold']");
    await write(page, "input[name=name]", `by keys ${run}`);
    await tabTo(page, "input[name=by]");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await write(page, "textarea[name=query]", "shipment");
    await write(page, "textarea[name=reason]", "claim of 3 March");
    await press(page, "button", "Preview");
    await page.locator("button:has-text('Place the hold')").waitFor();
    await press(page, "button", "Place the hold");
    assert.match(await page.locator("main").innerText(), /audit #\d+/);
  },
  async acknowledge_a_notice({ lawyer: page }, run) {
    await page.goto(demo.origin + "/matters");
    await press(page, "main th a");
    await press(page, "main a[href^='/holds/']", "Delivery to Vogel");
    await press(page, "a[href$='/notices#add']");
    await write(page, "#add input[name=name]", `Nour ${run}`);
    await tabTo(page, "#add select[name=language]");
    // Arabic is the last one.
    await page.keyboard.press("End");
    await press(page, "#add button", "Add");
    // What was said last stands in the form already.
    await press(page, "#issue button", "Issue notices");
    await press(page, "main th a", `Nour ${run}`);
    await press(page, "button", "Make the letter");
    const [link] = (await page.locator("main").innerText()).match(/http\S+\/notice#[0-9a-f]{64}/);
    // Somebody with a phone and no login.
    const javaScriptEnabled = run === "with scripts";
    const options = { javaScriptEnabled, viewport: { width: 390, height: 844 }, reducedMotion: "reduce" };
    const { page: phone, context, complaints } = await watched(browser, demo.origin, options);
    if (javaScriptEnabled) {
      await phone.goto(link);
      await phone.waitForSelector("form[action='/notice/confirm']");
      await examined(phone, "a notice");
      await phone.setViewportSize(options.viewport);
    } else {
      await phone.goto(demo.origin + "/notice");
      await write(phone, "#token", link.split("#")[1]);
      await press(phone, "#enter button");
    }
    assert.equal(await phone.getAttribute("html", "dir"), "rtl");
    assert.equal(await tooWide(phone), 0, "it fits a phone");
    assert.ok(!phone.url().includes(link.split("#")[1]), "no token stays in the address");
    await press(phone, "form[action='/notice/confirm'] button", "تأكيد");
    assert.equal(await phone.locator(".notice.good").count(), 1);
    await phone.emulateMedia({ media: "print" });
    assert.equal(await phone.locator("form").count(), 0);
    assert.ok(await phone.locator("h1").isVisible());
    assert.deepEqual(complaints, []);
    await context.close();
    await page.goto(demo.origin + "/matters");
    await press(page, "main th a");
    await press(page, "main a[href^='/holds/']", "Delivery to Vogel");
    assert.match(await page.locator("tr", { hasText: `Nour ${run}` }).innerText(), /confirmed/);
  },
  async simulate_a_policy({ officer: page }, run) {
    await page.goto(demo.origin + "/policies/new");
    await write(page, "input[name=name]", `invoices ${run}`);
    await write(page, "textarea[name=scope]", "invoice");
    await write(page, "textarea[name=reason]", "tax law");
    await press(page, "button", "Write the draft");
    await press(page, "button", "Simulate");
    await page.locator("#simulation").waitFor();
    assert.match(page.url(), /\?trial=job_/, "it is a job");
  },
  async approve_a_list({ lawyer: page }, run) {
    // There is one list: who comes second looks at it, and cannot approve it twice.
    await page.goto(demo.origin + "/dispositions");
    await press(page, "main a[href^='/dispositions/']");
    if (await page.locator("a[href^='/step-up']").count() > 0) {
      await press(page, "a[href^='/step-up']");
      await proven(page);
    }
    if (run !== "with scripts") return;
    if (await page.locator("button[value=approve]").count() === 0) throw new Error(await page.locator("main").innerText());
    await write(page, "textarea[name=reason]", "looked at the samples");
    const no = page.url().match(/dispositions\/(\d+)/)[1];
    await write(page, "input[name=confirm]", no);
    await press(page, "button", "Approve");
    assert.match(await page.locator("main").innerText(), /audit #\d+/);
  },
  async verify_the_log({ officer: page }) {
    await page.goto(demo.origin + "/audit/verify");
    await press(page, "main button");
    for (let turn = 0; turn < 60 && !/\/jobs\//.test(page.url()); turn += 1) await page.waitForTimeout(100);
    assert.match(page.url(), /\/jobs\/|\/audit/);
  },
  async why_is_it_still_here({ officer: page }) {
    await page.goto(demo.origin + "/c");
    await press(page, ".conversation a");
    await press(page, ".message .acts a", "Why");
    assert.match(await page.locator("h1").innerText(), /still here/);
  },
  async sign_out({ officer: page }) {
    await page.goto(demo.origin);
    await press(page, "button", "Sign out");
    assert.match(page.url(), /\/sign-in/);
  },
};

for (const [run, javaScriptEnabled] of [["with scripts", true], ["without scripts", false]]) {
  // The windows share the sessions, not the scripts.
  const people = {};
  for (const [name, { context }] of Object.entries({ lawyer, officer })) {
    const storageState = await context.storageState();
    const watch = await watched(browser, demo.origin, { javaScriptEnabled, storageState, reducedMotion: "reduce" });
    people[name] = watch.page;
  }
  let done = 0;
  for (const [name, task] of Object.entries(TASKS)) {
    if (name === "sign_out" && javaScriptEnabled) continue;
    await law(`x1_by_keys_alone_${run.replaceAll(" ", "_")}_${name}`, async () => {
      await task(people, run);
      done += 1;
    });
  }
  console.log(`${run}: ${done} of ${Object.keys(TASKS).length - (javaScriptEnabled ? 1 : 0)} tasks`);
}

await browser.close();
await law("ctrl_c_leaves_nothing_of_what_was_done", async () => {
  const { code, left } = await demo.end();
  assert.equal(code, 0);
  assert.deepEqual(left, []);
});
console.log(`${counted.states} states examined, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

// Starts a demonstration or an empty archive and a browser, and keeps them for the laws that are tested on
// the pages.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const READY_MS = 120_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// A child that said that it is ready, with what it said and its end.
async function started(program, words, env, ready) {
  const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready in time: ${said}`)), READY_MS);
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
    const hears = (bytes) => {
      said += bytes;
      if (!ready.test(said)) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout.on("data", hears);
    child.stderr.on("data", hears);
  });
  child.removeAllListeners("exit");
  const end = () => new Promise((resolve) => {
    child.on("exit", (code) => resolve(code));
    child.kill("SIGINT");
  });
  return { said: () => said, end };
}

// The demonstration: its links by role, its password, and how it ended.
export async function demonstration(program) {
  const scratch = mkdtempSync(join(tmpdir(), "wordkeep-browser-"));
  const child = await started(program, ["demo", "--port", "0"], { TMPDIR: scratch }, /Ctrl-C/);
  const found = [...child.said().matchAll(/^ {2}(\S+) +(http\S+)$/gm)];
  const links = Object.fromEntries(found.map(([, role, link]) => [role, link]));
  const [, password] = child.said().match(/once more: (\S+)/);
  const end = async () => {
    const code = await child.end();
    const left = readdirSync(scratch);
    rmSync(scratch, { recursive: true });
    return { code, left };
  };
  return { links, password, origin: new URL(Object.values(links)[0]).origin, end };
}

// An archive of its own in `home`, served: the link of its setup on the first start.
export async function archive(program, home, words = []) {
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_DATA_HOME: join(home, "data"), TMPDIR: home };
  const child = await started(program, [...words, "serve", "--listen", "127.0.0.1:0"], env,
    /listening on http\S+/);
  const [, origin] = child.said().match(/listening on (http\S+)/);
  const setup = async () => {
    for (let turn = 0; turn < 50; turn += 1) {
      const found = child.said().match(/http\S+\/setup#t=[0-9A-Z-]{19}/);
      if (found) return found[0];
      await new Promise((later) => setTimeout(later, 100));
    }
    throw new Error(`no link to set up: ${child.said()}`);
  };
  return { origin, setup, end: child.end };
}

// Laws one by one: what fails is told and counted, and the others go on.
export function laws() {
  const failures = [];
  const law = async (name, test) => {
    try {
      await test();
      console.log(`ok   ${name}`);
    } catch (error) {
      failures.push(name);
      console.log(`FAIL ${name}\n     ${String(error.message).split("\n").join("\n     ")}`);
    }
  };
  return { law, failures };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// What axe finds on a page, in words.
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return found.violations.map((one) =>
    `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

// How much wider than its window a page is, in pixels.
export const tooWide = (page) => page.evaluate(() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth);

export const openBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

// A page that collects every complaint of the browser and every request that leads elsewhere.
export async function watched(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const complaints = [];
  const asked = [];
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  // A refused page says so in its status, and a browser repeats that: it is no complaint about the page.
  const isStatus = (text) => /status of 4\d\d/.test(text);
  page.on("console", (said) => said.type() === "error" && !isStatus(said.text()) && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    asked.push(new URL(request.url()).pathname);
    if (!request.url().startsWith(origin)) complaints.push(`asks ${request.url()}`);
  });
  return { context, page, complaints, asked };
}

// A page of one person, who came by a link.
export async function pageOf(browser, link, options = {}) {
  const watch = await watched(browser, new URL(link).origin, options);
  const { page } = watch;
  if (options.javaScriptEnabled === false) {
    // Without scripts the token of the link is typed.
    await page.goto(new URL("/enter", link).href);
    await page.fill("#token", new URL(link).hash.slice(1));
    await page.click("#enter button");
  } else {
    await page.goto(link);
    await page.waitForURL((url) => url.pathname === "/");
  }
  return watch;
}

// Starts a demonstration and a browser, and keeps both for the laws that are tested on the pages.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const READY_MS = 120_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// The demonstration as a child: its links by role, and how it ended.
export async function demonstration(program) {
  const scratch = mkdtempSync(join(tmpdir(), "wordkeep-browser-"));
  const child = spawn(program, ["demo", "--port", "0"], {
    env: { ...process.env, TMPDIR: scratch }, stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  const links = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready in time: ${said}`)), READY_MS);
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
    child.stdout.on("data", (bytes) => {
      said += bytes;
      if (!said.includes("Ctrl-C")) return;
      clearTimeout(late);
      const found = [...said.matchAll(/^ {2}(\S+) +(http\S+)$/gm)];
      resolve(Object.fromEntries(found.map(([, role, link]) => [role, link])));
    });
  });
  child.removeAllListeners("exit");
  const end = () => new Promise((resolve) => {
    child.on("exit", (code) => {
      const left = readdirSync(scratch);
      rmSync(scratch, { recursive: true });
      resolve({ code, left });
    });
    child.kill("SIGINT");
  });
  return { links, origin: new URL(Object.values(links)[0]).origin, end };
}

export const openBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

// A page of one person, which collects every complaint of the browser.
export async function pageOf(browser, link, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const complaints = [];
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(link).origin)) complaints.push(`asks ${request.url()}`);
  });
  if (options.javaScriptEnabled === false) {
    // Without scripts the token of the link is typed.
    await page.goto(new URL("/enter", link).href);
    await page.fill("#token", new URL(link).hash.slice(1));
    await page.click("#enter button");
  } else {
    await page.goto(link);
    await page.waitForURL((url) => url.pathname === "/");
  }
  return { context, page, complaints };
}

// Called by scripts/screenshots: opens every view of the page and takes its picture; with LETOPIS_KEY as an
// admin sees them, and then adds a source of every kind to see what its secret comes with.
// Fails when a view does not come up, when the browser reports an error, or when a page is wider than its screen.

import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.env.TOOLS, "package.json"))("playwright-core");
const [url, folder] = process.argv.slice(2);

const WIDTHS = { 390: 844, 1440: 900 };
const LANGUAGES = ["ru", "en"];
const VIEWS = [
  { name: "overview", hash: "#/?days=30", ready: ".cards, .empty, .login" },
  { name: "sessions", hash: "#/sessions", ready: "table, .empty, .login" },
  { name: "timeline", hash: "#/sessions", open: "a.cover", ready: ".chat" },
  // Of an account in Telegram there is always somebody.
  { name: "client", hash: "#/sessions?channel=telegram", open: "a.cover", then: ".facts a[href^='#/clients/']", ready: ".facts" },
  { name: "sources", hash: "#/sources", ready: ".doors, .empty, .login" },
  { name: "source", hash: "#/sources", open: ".doors a.cover", ready: ".chat, .awaited" },
  { name: "new-source", hash: "#/sources/+", ready: ".form, .empty, .login" },
  { name: "settings", hash: "#/settings", ready: ".facts, .login" },
  { name: "quarantine", hash: "#/quarantine", ready: ".entries, .empty, .login" },
];

/** The least there can be. */
const MAPPING = JSON.stringify({ version: 1, events: [{ name: "any", set: { channel: "site", session_id: { at: "/id" }, action: "message" } }] });

const key = process.env.LETOPIS_KEY;
const scheme = process.env.SCHEME === "dark" ? "dark" : "light";
const troubles = [];
await settled();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
try {
  for (const [width, height] of Object.entries(WIDTHS)) {
    for (const language of LANGUAGES) await shoot(Number(width), height, language);
  }
} finally {
  await browser.close();
}
for (const trouble of troubles) console.error(trouble);
process.exit(troubles.length > 0 ? 1 : 0);

async function shoot(width, height, language) {
  const context = await browser.newContext({
    viewport: { width, height }, deviceScaleFactor: width < 500 ? 2 : 1, colorScheme: scheme, isMobile: width < 500,
    hasTouch: width < 500, locale: language === "ru" ? "ru-RU" : "en-GB", timezoneId: "Europe/Moscow",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  if (key) await signIn(page);
  let where = "start";
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`${where}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`${where}: ${error.message}`));

  for (const view of VIEWS) {
    where = `${view.name}-${width}-${language}`;
    await page.goto("about:blank");
    await page.goto(`${url}/?lang=${language}${view.hash}`);
    if (view.open) await page.locator(view.open).first().click();
    if (view.then) await page.locator(view.then).first().click();
    await page.locator(view.ready).first().waitFor();
    await take(page, where, width);
  }
  for (const kind of key ? await kinds(page) : []) {
    where = `added-${kind}-${width}-${language}`;
    await page.goto("about:blank");
    await page.goto(`${url}/?lang=${language}#/sources/+`);
    await add(page, kind, where);
    await take(page, where, width);
  }
  await context.close();
}

/** The kinds of sources there are to be chosen from. */
async function kinds(page) {
  await page.goto(`${url}/#/sources/+`);
  await page.locator(".kinds input").first().waitFor();
  return page.locator(".kinds input").evaluateAll((inputs) => inputs.map((input) => input.value));
}

/** Adds a source, with whatever its kind asks for. */
async function add(page, kind, id) {
  await page.locator(`.kinds input[value=${kind}]`).check();
  await page.locator(".form [name=id]").fill(id);
  for (const [name, text] of Object.entries({ secret: "0123456789abcdef0123456789abcdef", mapping: MAPPING })) {
    const field = page.locator(`.form [name=${name}]`);
    if (await field.evaluate((element) => element.required)) await field.fill(text);
  }
  await page.locator(".form .button.primary").click();
  await page.locator(".secret").waitFor();
}

/** Takes the picture of a page, and sees whether it is as wide as its screen. */
async function take(page, name, width) {
  // Not innerWidth: a phone zooms out until all of a page that is too wide is on its screen.
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth) - width;
  if (overflow > 0) troubles.push(`${name}: ${overflow} px wider than the screen`);
  const path = join(folder, `${name}${key ? "-admin" : ""}${scheme === "dark" ? "-dark" : ""}.png`);
  await page.screenshot({ path, fullPage: true });
  console.log(path);
}

/** Waits until the server is there and all it was sent is stored: a demo plays its past first. */
async function settled() {
  let before = null;
  for (let tries = 0; tries < 240; tries += 1) {
    const response = await fetch(`${url}/v1/reconcile`, { headers: authorization() }).catch(() => null);
    if (response?.status === 401) return;
    const books = response?.ok ? await response.json() : null;
    const now = JSON.stringify(books?.tenants);
    const rests = books?.balanced && books.tenants.length > 0 && books.tenants.every((tenant) => tenant.in_flight === 0);
    if (rests && now === before) return;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error(`${url} is not there or never comes to rest`);
}

function authorization() {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** As the form does it; where nobody has to sign in there is no form. */
async function signIn(page) {
  await page.goto(`${url}/`);
  await page.evaluate((text) => fetch("/login", { method: "POST", body: new URLSearchParams({ key: text }) }), key);
  await page.reload();
  await page.locator("nav.sections").waitFor();
}

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Bed, Browser, until } from "./bed.mjs";
import { Double, board } from "./double.mjs";
import { BANNER, cell, reads, row } from "./look.mjs";

let bed, double, browser, page;

before(async () => {
  bed = await Bed.start({ domains: 3 });
  browser = await Browser.start();
  double = await Double.start(bed);
  await bed.survey();
});
after(async () => {
  await browser?.stop();
  await double?.stop();
  await bed?.stop();
});
afterEach(async () => {
  if (page === undefined) return;
  assert.deepEqual(page.faults, []);
  await page.context().close();
  page = undefined;
});

const isDimmed = () =>
  page
    .locator("body.outage")
    .count()
    .then((count) => count === 1);
const AT = "(\\d{2}):(\\d{2}):(\\d{2})";

/** The moment that a banner names, in milliseconds. */
async function since() {
  const [, ...time] = (await page.locator(BANNER).textContent()).match(new RegExp(`since ${AT}`));
  return new Date().setHours(...time.map(Number));
}

async function wellAgain() {
  await reads(page, BANNER, "");
  assert.equal(await isDimmed(), false);
  await until("numbers", async () => /^\d\.\d\d of 1$/.test(await cell(page, 1, "in-use")));
}

test("libvirtd that ends is said to be gone, since when and why, until it is back", async () => {
  page = await browser.open(bed.address);
  await row(page, 1).waitFor();
  const colour = () =>
    row(page, 1)
      .locator(".is-in-use > span")
      .first()
      .evaluate((cell) => getComputedStyle(cell).color);
  const before = await colour();
  const killed = Date.now();
  await bed.libvirtd.kill("SIGKILL");
  await reads(
    page,
    BANNER,
    new RegExp(`^libvirt is down since ${AT}: .+ What is shown is what was known last\\.$`),
  );
  assert.ok(Math.abs((await since()) - killed) < 10_000, await page.locator(BANNER).textContent());
  assert.equal(await isDimmed(), true);
  assert.notEqual(await colour(), before);
  assert.equal(await row(page, 1).isVisible(), true);
  await reads(page, "#libvirt-state", "libvirt down");
  await reads(page, "#host-name", "compute-sim");
  assert.match(await page.title(), /^\(!\) /);
  await until("no number is made up", async () => (await cell(page, 1, "in-use")) === "– of 1|not known");

  await bed.startLibvirtd();
  await wellAgain();
});

test("libvirtd that says nothing is said to be silent", async () => {
  page = await browser.open(bed.address);
  await row(page, 1).waitFor();
  await bed.command("freeze");
  await reads(page, BANNER, new RegExp(`^libvirt does not answer since ${AT}\\.`));
  await bed.command("thaw");
  await wellAgain();
});

test("an exporter that ends is said not to answer, until another one does", async () => {
  page = await browser.open(bed.address, { outage: true });
  await row(page, 1).locator("button").click();
  await page.locator("#details .ids div").first().waitFor();
  const killed = Date.now();
  await bed.exporter.kill("SIGKILL");
  await reads(
    page,
    BANNER,
    new RegExp(`^The exporter does not answer since ${AT}\\. What is shown is what it said last\\.$`),
  );
  assert.ok(Math.abs((await since()) - killed) < 5_000);
  assert.equal(await isDimmed(), true);
  assert.equal(await page.locator("#details .banner").isVisible(), true);
  await page.keyboard.press("Escape");
  assert.match(await cell(page, 1, "in-use"), /^\d\.\d\d of 1$/);

  await bed.startExporter();
  await wellAgain();
  await reads(page, "#survey-age", "nothing has scraped yet.");
});

test("an exporter that stands still is noticed", async () => {
  page = await browser.open(bed.address, { outage: true });
  await row(page, 1).waitFor();
  bed.exporter.signal("SIGSTOP");
  await reads(page, BANNER, new RegExp(`^The exporter does not answer since ${AT}\\.`));
  bed.exporter.signal("SIGCONT");
  await wellAgain();
});

test("an answer that is none of ours is not the end", async () => {
  double.show(board([{ name: "a", vcpus: 1, in_use: 0.5 }]));
  page = await browser.open(double.address, { outage: true });
  await row(page, 1).waitFor();
  double.refuse(502);
  await reads(page, BANNER, /^The exporter does not answer since/);
  double.refuse(null);
  await wellAgain();
});

test("a page for which there is no place says so, and waits for one", async () => {
  double.show(board([{ name: "a", vcpus: 1, in_use: 0.5 }]));
  page = await browser.open(double.address, { outage: true });
  await row(page, 1).waitFor();
  double.refuse(503);
  await reads(page, BANNER, /^The exporter has as many pages open as it serves at once/);
  double.refuse(null);
  await wellAgain();
});

/** Hides the page from whoever looks, or shows it again. */
const hide = (isHidden) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);

test("an outage of a page that was hidden begins when somebody looks", async () => {
  double.show(board([{ name: "a", vcpus: 1, in_use: 0.5 }]));
  page = await browser.open(double.address, { outage: true });
  await row(page, 1).waitFor();
  await hide(true);
  await until("no stream", () => double.streams.size === 0);
  double.refuse(502);
  // What is tested is that this time is none of an outage's.
  await page.waitForTimeout(3000);
  const shownAt = Date.now();
  await hide(false);
  assert.equal(await isDimmed(), true, "nobody knows yet whether it still holds");
  await reads(page, BANNER, /^The exporter does not answer since/);
  assert.ok((await since()) > shownAt - 1500);
  double.refuse(null);
  await wellAgain();
});

test("a page that nobody sees takes no place", async () => {
  double.show(board([{ name: "a", vcpus: 1, in_use: 0.5 }]));
  page = await browser.open(double.address);
  await row(page, 1).waitFor();
  const before = double.opened;
  await hide(true);
  await until("no stream", () => double.streams.size === 0);
  await hide(false);
  await until("a stream", () => double.streams.size === 1);
  assert.equal(double.opened, before + 1);
});

test("an old survey is said to be old, and a very old one is forgotten", async () => {
  const rows = [{ name: "a", vcpus: 1, in_use: 0.5, memory: 2 ** 30, memory_used: 2 ** 29, steal: 0.1 }];
  double.show(board(rows, { surveyed: 119 }));
  page = await browser.open(double.address);
  await row(page, 1).waitFor();
  const isOld = () => page.locator("body.survey-old").count();
  assert.equal(await isOld(), 0);
  await reads(page, "#survey-age", "as of the last scrape, 119 s ago.");

  double.show(board(rows, { surveyed: 125 }));
  await reads(page, "#survey-age", "as of the last scrape, 2 min ago.");
  assert.equal(await isOld(), 1);
  assert.equal(await cell(page, 1, "memory-used"), "512 MiB of 1 GiB");

  double.show(board(rows, { surveyed: 301 }));
  await reads(page, "#survey-age", "the last scrape was 5 min ago, too long to go by.");
  await until("it is forgotten", async () => (await cell(page, 1, "memory-used")) === "– of 1 GiB|not known");
  assert.equal(await cell(page, 1, "steal"), "–|not known");
  assert.equal(await page.locator("#memory-used").textContent(), "–");
  assert.equal(await cell(page, 1, "in-use"), "0.50 of 1");
});

test("a page of another version says so", async () => {
  double.show(board([], {}, { version: "99.0.0" }));
  page = await browser.open(double.address);
  await page.locator("#renewed").waitFor();
});

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Bed, Browser, until } from "./bed.mjs";
import { board } from "./double.mjs";
import { BANNER, cell, names, reads, row, uuid } from "./look.mjs";

let bed, browser, page;

before(async () => {
  bed = await Bed.start({ domains: 6 });
  browser = await Browser.start();
});
after(async () => {
  await browser?.stop();
  await bed?.stop();
});
afterEach(async () => {
  if (page === undefined) return;
  assert.deepEqual(page.faults, []);
  await page.context().close();
  page = undefined;
});

// The first of all: nothing has scraped.
test("before a scrape the page says what is missing, and shows no number for it", async () => {
  page = await browser.open(bed.address);
  await reads(page, "#survey-age", "nothing has scraped yet.");
  assert.equal(await page.locator("#survey-hint").isVisible(), true);
  assert.equal(await page.locator("#survey-hint a").getAttribute("href"), "./metrics");
  await until("the first poll", async () => /^\d\.\d\d of 1$/.test(await cell(page, 1, "in-use")));
  assert.equal(await cell(page, 1, "memory-used"), "– of 512 MiB|not known");
  for (const column of ["read-bytes", "written-bytes", "received-bytes", "transmitted-bytes", "steal"]) {
    assert.equal(await cell(page, 1, column), "–|not known", column);
  }
  assert.equal(await page.locator("#memory-used").textContent(), "–");
  assert.equal(await page.locator("#memory-physical").getAttribute("aria-label"), "not known");

  await bed.survey();
  await reads(page, "#survey-age", /^as of the last scrape, \d+ s ago\.$/);
  await until("memory is known", async () => /^\d+ MiB of 512 MiB$/.test(await cell(page, 1, "memory-used")));
  assert.equal(await page.locator("#survey-hint").isVisible(), false);
  assert.match(await cell(page, 1, "read-bytes"), /^[\d.]+ kB\/s$/);
  assert.equal(await page.locator("#vcpus-physical").textContent(), "128");
  assert.equal(await page.locator("#memory-physical").textContent(), "512 GiB");
});

test("the page is whole, and asks nobody else for anything", async () => {
  page = await browser.open(bed.address);
  await reads(page, "#host-name", "compute-sim");
  await reads(page, "#libvirt-state", "libvirt up");
  assert.equal(await page.locator(BANNER).textContent(), "");
  assert.equal(await page.title(), "compute-sim · libvirt_nova");
  const board = await bed.board();
  assert.deepEqual(
    await names(page),
    board.instances.map(({ name }) => name),
  );
  assert.equal(
    await page.locator("#vcpus-allocated").textContent(),
    String(board.instances.reduce((all, { vcpus }) => all + vcpus, 0)),
  );
  assert.equal(await page.locator("#version").textContent(), board.host.version);
  assert.equal(await page.locator("#renewed").isVisible(), false);
  await row(page, 1).click();
  await page.locator("#details .ids div").first().waitFor();
  const foreign = page.asked.filter((url) => !url.startsWith(bed.address) && !url.startsWith("data:"));
  assert.deepEqual(foreign, []);
  const paths = new Set(page.asked.map((url) => url.replace(bed.address, "")));
  assert.deepEqual(paths, new Set(["", "-/live", `-/instance/${uuid(1)}`]));
});

// Other tests make their boards up.
test("a stream has what the page reads of it", async () => {
  const keys = (of) => Object.keys(of).sort();
  const [found, made] = [await bed.board(), board([{}])];
  assert.deepEqual(keys(found), keys(made));
  assert.deepEqual(keys(found.host), keys(made.host));
  assert.deepEqual(keys(found.instances[0]), keys(made.instances[0]));
  assert.deepEqual(keys(found.pulse), keys(made.pulse));
  assert.deepEqual(keys(found.pulse.libvirt), keys(made.pulse.libvirt));
  assert.equal(found.recent.length, found.instances.length);
  const details = await (await bed.get(`-/instance/${uuid(1)}`)).json();
  page = await browser.open(bed.address);
  await row(page, 1).locator("button").click();
  await page.locator("#details .ids div").first().waitFor();
  const fields = await page
    .locator("#details .ids div")
    .evaluateAll((lines) => lines.map((line) => line.dataset.key));
  assert.deepEqual([...fields, "name", "vcpus", "disks", "interfaces"].sort(), keys(details));
  assert.equal((await page.locator("#details").textContent()).includes("undefined"), false);
});

test("numbers move each second", async () => {
  await bed.survey();
  page = await browser.open(bed.address);
  const curve = () => row(page, 1).locator(".curve .line").getAttribute("d");
  const age = () => page.locator("#survey-age").textContent();
  await until("a curve", curve);
  const [curveBefore, ageBefore] = [await curve(), await age()];
  await until("the curve goes on", async () => (await curve()) !== curveBefore);
  await until("the scrape grows older", async () => (await age()) !== ageBefore);

  await bed.command("suspend instance-00000001");
  await until("nothing is in use", async () => (await cell(page, 1, "in-use")) === "0.00 of 1");
  assert.match(
    await row(page, 1).locator(".curve").getAttribute("aria-label"),
    /^between 0\.00 and 0\.\d\d of 1 in the last minute$/,
  );
  assert.equal(await cell(page, 1, "state"), "paused");
  await reads(page, "#states", "1 paused");
  await reads(page, "#running", "5");
  await bed.command("resume instance-00000001");
  await until("something is in use", async () => (await cell(page, 1, "in-use")) !== "0.00 of 1");
  await reads(page, "#states", "");
});

test("an instance comes and goes without a reload", async () => {
  await bed.survey();
  page = await browser.open(bed.address);
  await row(page, 6).waitFor();
  await bed.command("domains 7");
  await row(page, 7).waitFor();
  await reads(page, "#count", "7 instances");
  await bed.command("destroy instance-00000007");
  await row(page, 7).waitFor({ state: "detached" });
  await reads(page, "#states", "1 shut off");
  await reads(page, "#count", "6 instances");
  await bed.command("undefine instance-00000007");
});

test("a hostile name is text", async () => {
  const hostile = "<img src=x onerror=alert(1)>&amp;\u202egnp.exe";
  await bed.command(`metadata instance-00000002 name ${hostile}`);
  await bed.command("metadata instance-00000002 project a\\nb<script>document.title='x'</script>");
  page = await browser.open(bed.address);
  let dialogs = 0;
  page.on("dialog", (dialog) => ((dialogs += 1), dialog.dismiss()));
  await until("the name", async () => (await names(page)).includes(hostile));
  const name = row(page, 2).locator("button bdi");
  assert.equal(await name.getAttribute("title"), hostile);
  assert.match(await cell(page, 2, "project"), /^a\nb<script>/);
  await name.click();
  await reads(page, "#details-title", hostile);
  await until("the ids", async () =>
    (await page.locator("#details [data-key=project] bdi").textContent()).includes("<script>"),
  );
  await page.keyboard.press("Escape");
  await bed.command("stuck instance-00000002");
  await bed.scrape();
  await page.locator("#stuck-list button").waitFor();
  assert.equal(await page.locator("#stuck-list bdi").textContent(), hostile);
  await bed.command("continue instance-00000002");
  await page.locator("#stuck").waitFor({ state: "hidden" });
  assert.equal(await page.locator("img, main script").count(), 0);
  assert.equal(dialogs, 0);
  await bed.command("metadata instance-00000002 name testing-2");
  await bed.command("metadata instance-00000002 project green");
});

test("a stuck guest is red and named, and both end with it", async () => {
  page = await browser.open(bed.address);
  await row(page, 3).waitFor();
  await bed.command("stuck instance-00000003");
  await bed.scrape();
  await reads(page, "#stuck-title", "1 instance stuck: QEMU does not answer libvirt");
  await until("the title tells", async () => (await page.title()) === "(1 stuck) compute-sim · libvirt_nova");
  assert.match(await cell(page, 3, "state"), /^stuck \d+ s$/);
  const colour = (selector) => page.locator(selector).evaluate((element) => getComputedStyle(element).color);
  const red = await colour("#stuck-title");
  assert.match(red, /^rgb\(180, 35, 24\)$/);
  assert.equal(await colour(".stuck-row .is-state"), red);
  await page.locator("#filter").fill("stuck");
  assert.deepEqual(await names(page), ["testing-3"]);
  await page.locator("#stuck-list button").click();
  await reads(page, "#details-title", "testing-3");
  await page.locator("#close").click();
  await bed.command("continue instance-00000003");
  await page.locator("#stuck").waitFor({ state: "hidden" });
  await until("the row is as others", async () => (await page.locator(".stuck-row").count()) === 0);
  assert.equal(await cell(page, 3, "state"), "running");
});

test("without a script the page leads to the metrics", async () => {
  page = await browser.open(bed.address, { javaScriptEnabled: false });
  const link = page.locator("header a");
  assert.equal(await link.isVisible(), true);
  assert.equal(await page.locator("main").isVisible(), false);
  const metrics = await fetch(new URL(await link.getAttribute("href"), page.url()));
  assert.match(await metrics.text(), /^# HELP /);
});

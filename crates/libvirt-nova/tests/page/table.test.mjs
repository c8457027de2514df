import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Bed, Browser, until } from "./bed.mjs";
import { Double, board } from "./double.mjs";
import { cell, names, reads, row, uuid } from "./look.mjs";

let bed, double, browser, page;

before(async () => {
  bed = await Bed.start({ domains: 12 });
  browser = await Browser.start();
  double = await Double.start(bed);
  await bed.command("balloon instance-00000004 off");
  await bed.command("suspend instance-00000005");
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

const KEYS = {
  name: "name",
  project: "project",
  flavor: "flavor",
  state: "state",
  "in-use": "in_use",
  peak: "peak",
  "memory-used": "memory_used",
  "read-bytes": "read_bytes",
  "written-bytes": "written_bytes",
  "received-bytes": "received_bytes",
  "transmitted-bytes": "transmitted_bytes",
  steal: "steal",
};

// A different number, or none, for each; by each column in another order.
const ROWS = Array.from({ length: 7 }, (_, place) => {
  const turned = (step) => (place === step % 7 ? null : (place * step) % 7);
  const texts = (step) => (turned(step) === null ? null : `t-${turned(step) * 5}`);
  return {
    name: `web-${((place * 3) % 7) + 6}`,
    is_nova: true,
    project: texts(2),
    flavor: texts(3),
    state: texts(4),
    vcpus: 8,
    memory: 2 ** 33,
    in_use: turned(2),
    memory_used: turned(3),
    read_bytes: turned(4),
    written_bytes: turned(5),
    received_bytes: turned(6),
    transmitted_bytes: turned(8),
    steal: turned(9),
  };
});

test("each column sorts, either way, with what is not known behind", async () => {
  const made = board(ROWS);
  made.pulse.peak = made.pulse.in_use.map((inUse) => (inUse === null ? null : 7 - inUse));
  double.show(made);
  page = await browser.open(double.address);
  await row(page, 1).waitFor();
  const values = made.instances.map((facts, place) => ({
    ...facts,
    in_use: made.pulse.in_use[place],
    peak: made.pulse.peak[place],
  }));
  for (const [column, key] of Object.entries(KEYS)) {
    const title = page.locator(`thead .is-${column}`);
    const orders = {};
    // The table is sorted by the name to begin with.
    const clicks = column === "name" ? [0, 1] : [0, 0];
    for (const _click of clicks) {
      await title.locator("button").click();
      const direction = await title.getAttribute("aria-sort");
      orders[direction] = await names(page);
      assert.equal(await page.locator("th[aria-sort=ascending], th[aria-sort=descending]").count(), 1);
    }
    assert.deepEqual(Object.keys(orders).sort(), ["ascending", "descending"], column);
    for (const [direction, found] of Object.entries(orders)) {
      const inOrder = found.map((name) => values.find((value) => value.name === name)[key]);
      const known = inOrder.filter((value) => value !== null);
      const sign = direction === "ascending" ? 1 : -1;
      const compare = (one, other) =>
        sign *
        (typeof one === "string" ? Number(one.split("-")[1]) - Number(other.split("-")[1]) : one - other);
      const missing = inOrder.length - known.length;
      assert.deepEqual(
        inOrder,
        [...[...known].sort(compare), ...Array(missing).fill(null)],
        `${column} ${direction}`,
      );
    }
  }
});

test("sort and filter survive a reload", async () => {
  page = await browser.open(bed.address);
  await row(page, 12).waitFor();
  await page.locator("thead .is-memory-used button").click();
  await page.locator("#filter").fill("GREEN  running");
  await until("the filter", async () => (await names(page)).length < 12);
  const before = await names(page);
  assert.deepEqual([...before].sort(), ["testing-11", "testing-2", "testing-8"]);
  await reads(page, "#count", "3 of 12 instances");
  await page.reload();
  await until("the same rows", async () => JSON.stringify(await names(page)) === JSON.stringify(before));
  assert.equal(await page.locator("#filter").inputValue(), "GREEN  running");
  assert.equal(await page.locator("thead .is-memory-used").getAttribute("aria-sort"), "descending");
});

test("the filter finds by each name there is", async () => {
  page = await browser.open(bed.address);
  await row(page, 12).waitFor();
  const finds = {
    "testing-12": ["testing-12"],
    "instance-0000000b": ["testing-11"],
    [uuid(3)]: ["testing-3"],
    paused: ["testing-5"],
    blue: ["testing-1", "testing-4", "testing-7", "testing-10"],
    "no such": [],
  };
  for (const [words, expected] of Object.entries(finds)) {
    await page.locator("#filter").fill(words);
    assert.deepEqual(await names(page), expected, words);
  }
  await reads(page, "#none", "No instance matches the filter.");
});

test("the keyboard alone sorts, filters, opens and closes", async () => {
  page = await browser.open(bed.address);
  await row(page, 12).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("red");
  assert.equal(await page.locator("#filter").inputValue(), "red");
  assert.deepEqual(await names(page), ["testing-3", "testing-6", "testing-9", "testing-12"]);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Instance");
  await page.keyboard.press("Enter");
  assert.deepEqual(await names(page), ["testing-12", "testing-9", "testing-6", "testing-3"]);
  while ((await focused()) !== "testing-12") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await reads(page, "#details-title", "testing-12");
  await page.locator("#details .ids div").first().waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.locator("#filter").inputValue(), "red");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#details").isVisible(), false);
  assert.equal(await focused(), "testing-12");
});

test("the order follows the numbers, but not under a finger or the focus", async () => {
  const rows = [
    { name: "a", in_use: 1, vcpus: 4 },
    { name: "b", in_use: 2, vcpus: 4 },
    { name: "c", in_use: 3, vcpus: 4 },
  ];
  const made = board(rows);
  double.show(made);
  page = await browser.open(`${double.address}#sort=-in_use`);
  await row(page, 1).waitFor();
  assert.deepEqual(await names(page), ["c", "b", "a"]);
  const pulse = (inUse) => double.send("pulse", { ...made.pulse, in_use: inUse, peak: inUse });
  pulse([4, 2, 3]);
  await until("the order of now", async () => (await names(page)).join() === "a,c,b");

  await row(page, 3).locator("button").focus();
  pulse([0, 1, 2]);
  await until("numbers of now", async () => (await cell(page, 1, "in-use")) === "0.00 of 4");
  assert.deepEqual(await names(page), ["a", "c", "b"]);
  await reads(page, "#held", "order held while you are at a row");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "c");
  // One goes, and one comes: behind the others, for as long as the order is held.
  double.show(
    board([rows[0], { ...rows[1], uuid: uuid(9), name: "new", in_use: 4 }, rows[2]], { edition: 2 }),
  );
  await row(page, 9).waitFor();
  assert.deepEqual(await names(page), ["a", "c", "new"]);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "c");
  await page.locator("#filter").focus();
  double.send("pulse", { ...made.pulse, edition: 2, in_use: [0, 3, 1], peak: [0, 3, 1] });
  await until("the order of now", async () => (await names(page)).join() === "new,c,a");
  await reads(page, "#held", "");

  await row(page, 3).locator(".is-in-use").hover();
  await page.mouse.down();
  double.send("pulse", { ...made.pulse, edition: 2, in_use: [4, 0, 1], peak: [4, 0, 1] });
  await until("numbers of now", async () => (await cell(page, 1, "in-use")) === "4.00 of 4");
  assert.deepEqual(await names(page), ["new", "c", "a"]);
  await page.mouse.up();
});

test("the focus goes to the next row where its own goes", async () => {
  const rows = ["a", "b", "c"].map((name, place) => ({ name, uuid: uuid(place + 1) }));
  double.show(board(rows));
  page = await browser.open(double.address);
  await row(page, 2).locator("button").focus();
  double.show(board([rows[0], rows[2]], { edition: 2 }));
  await row(page, 2).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "c");
});

test("a pulse of another board is not taken for this one's", async () => {
  const made = board([
    { name: "a", in_use: 1 },
    { name: "b", in_use: 2 },
  ]);
  double.show(made);
  page = await browser.open(double.address);
  await until("a row", async () => (await names(page)).length === 2);
  await page.evaluate(() => {
    window.shown = [];
    const note = () => window.shown.push(document.querySelector("#instances .is-in-use").textContent);
    new MutationObserver(note).observe(document.querySelector("#instances"), {
      subtree: true,
      childList: true,
    });
  });
  double.send("pulse", { ...made.pulse, edition: 7, in_use: [9, 9], peak: [9, 9] });
  double.send("pulse", { ...made.pulse, in_use: [1.5, 2], peak: [1.5, 2] });
  await until("the pulse that counts", async () => (await cell(page, 1, "in-use")) === "1.50");
  assert.equal(await cell(page, 2, "in-use"), "2.00");
  assert.deepEqual(await page.evaluate("Array.from(new Set(shown))"), ["1.50"]);
});

test("what is not known is no number, and who is not Nova's is said not to be", async () => {
  double.show(
    board([
      { is_nova: false },
      { is_nova: null },
      { is_nova: true, name: "named", in_use: 0, vcpus: 2, memory_used: 0, memory: 1024 },
    ]),
  );
  page = await browser.open(double.address);
  await row(page, 3).waitFor();
  assert.equal(await cell(page, 1, "name"), "instance-00000001not Nova's");
  assert.equal(await cell(page, 2, "name"), "instance-00000002not known yet whether Nova's");
  assert.equal(await cell(page, 3, "name"), "named");
  for (const column of Object.keys(KEYS).slice(1)) {
    assert.match(await cell(page, 1, column), /^–\|not known$/, column);
  }
  assert.equal(await cell(page, 3, "in-use"), "0.00 of 2");
  assert.equal(await cell(page, 3, "memory-used"), "0 B of 1 KiB");
  await reads(page, "#vcpus-in-use", "0.00");
  await reads(page, "#vcpus-missing", "not known of 2 instances");
  // They are listed as active, and nobody has asked for more.
  await reads(page, "#running", "3");
  await reads(page, "#running-word", "active");
  await reads(page, "#states", "");
  double.show(board([], { edition: 2 }));
  await reads(page, "#none", "No instance runs on this host.");
  await reads(page, "#vcpus-in-use", "0.00");
  double.show(board([], { edition: 3 }, { is_filtered: true }));
  await reads(page, "#none", "No instance runs that this exporter serves.");
  double.show(board([], { edition: 4 }, { is_listed: false }));
  await reads(page, "#none", "libvirt has not said yet which instances there are.");
  await reads(page, "#vcpus-in-use", "–");
  await reads(page, "#running", "–");
});

test("a curve goes on over two seconds of silence, and stops at three", async () => {
  double.show(
    board([{ name: "a", vcpus: 2, in_use: 1, recent: [0, null, null, 2, null, null, null, 1, 4] }]),
  );
  page = await browser.open(double.address);
  const line = row(page, 1).locator(".curve .line");
  await line.waitFor();
  assert.equal(await line.getAttribute("d"), "M51 20.00L54 0.00M58 10.00L59 10.00");
  assert.equal(
    await row(page, 1).locator(".curve").getAttribute("aria-label"),
    "between 0.00 and 1.00 of 2 in the last minute",
  );
});

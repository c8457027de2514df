import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Bed, Browser, picture, until } from "./bed.mjs";
import { Double, board } from "./double.mjs";
import { names, reads, row } from "./look.mjs";

let bed, double, browser;

before(async () => {
  bed = await Bed.start({ domains: 1000 });
  browser = await Browser.start();
  double = await Double.start(bed);
  await bed.survey();
});
after(async () => {
  await browser?.stop();
  await double?.stop();
  await bed?.stop();
});

/** Notes how long the script takes for each pulse, and which tasks, with layout and all, took over 50 ms. */
const STOPWATCH = `
  window.taken = [];
  window.longTasks = [];
  const listen = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (name, take) {
    return listen.call(this, name, (event) => {
      const began = performance.now();
      take(event);
      if (name === "pulse") window.taken.push(performance.now() - began);
    });
  };
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.longTasks.push(duration)))
    .observe({ type: "longtask" });
`;

const PULSES = 12;
const COUNT = 1000;

/** Waits for so many pulses, says what they cost, and asserts that it is not out of all proportion. */
async function measure(t, page, what, each = () => {}) {
  await until("the first pulses", async () => (await each(), page.evaluate("taken.length >= 3")));
  await page.evaluate("taken.length = longTasks.length = 0");
  await until("pulses", async () => (await each(), page.evaluate(`taken.length >= ${PULSES}`)));
  const { taken, longTasks } = await page.evaluate("({ taken, longTasks })");
  taken.sort((one, other) => one - other);
  const median = taken[Math.floor(taken.length / 2)];
  const long = longTasks.map((duration) => `${Math.round(duration)} ms`).join(", ");
  t.diagnostic(
    `${what}: a pulse's script takes ${median.toFixed(1)} ms in the median; tasks over 50 ms in ${taken.length} pulses: ${long || "none"}`,
  );
  assert.ok(median < 200, `${median} ms`);
}

test("a thousand instances move each second, and the page with them", async (t) => {
  const page = await browser.open("about:blank");
  await page.addInitScript(STOPWATCH);
  await page.goto(bed.address);
  await row(page, COUNT).waitFor({ state: "attached" });
  const inOrder = await names(page);
  assert.equal(inOrder.length, COUNT);
  await measure(t, page, "by name");

  await page.locator("#filter").fill("testing-777");
  await reads(page, "#count", "1 of 1000 instances");
  assert.deepEqual(await names(page), ["testing-777"]);
  await page.locator("#filter").fill("");
  await reads(page, "#count", "1000 instances");
  assert.deepEqual(await names(page), inOrder);

  // Who was far away is drawn when it comes near.
  const last = page.locator("#instances tr").last();
  const curve = () => last.locator(".curve .line").getAttribute("d");
  await last.scrollIntoViewIfNeeded();
  const before = await curve();
  await until("its curve goes on", async () => (await curve()) !== before);
  assert.equal(await last.locator(".is-steal > span").isVisible(), true);

  await page.locator("thead .is-in-use button").click();
  await page.evaluate("scrollTo(0, 0)");
  await measure(t, page, "by vCPUs in use");
  await picture(page, "crowd");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

// More than any host does: every instance uses something else each second.
test("a thousand instances change places each second", async (t) => {
  const rows = Array.from({ length: COUNT }, (_, place) => ({
    name: `web-${place}`,
    vcpus: 8,
    recent: Array(60).fill(1),
    in_use: 1,
  }));
  const made = board(rows);
  double.show(made);
  const page = await browser.open("about:blank");
  await page.addInitScript(STOPWATCH);
  await page.goto(`${double.address}#sort=-in_use`);
  await row(page, COUNT).waitFor({ state: "attached" });
  let last = 0;
  let inUse;
  await measure(t, page, "by vCPUs in use, all at random", () => {
    if (Date.now() - last < 1000) return;
    last = Date.now();
    inUse = rows.map(() => Math.random() * 8);
    double.send("pulse", { ...made.pulse, at: last / 1000, in_use: inUse, peak: inUse });
  });
  const highest = inUse.indexOf(Math.max(...inUse));
  await until("the highest on top", async () => {
    const [first, second] = (await names(page))
      .slice(0, 2)
      .map((name) => Math.round(inUse[Number(name.slice(4))] * 100));
    return first === Math.round(inUse[highest] * 100) && second <= first;
  });
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

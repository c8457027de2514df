import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Bed, Browser, picture, until } from "./bed.mjs";
import { names, reads, row } from "./look.mjs";

let bed, browser;

before(async () => {
  [bed, browser] = [await Bed.start({ domains: 1000 }), await Browser.start()];
  await bed.survey();
});
after(async () => {
  await browser?.stop();
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

test("a thousand instances move each second, and the page with them", async (t) => {
  const page = await browser.open("about:blank");
  await page.addInitScript(STOPWATCH);
  for (const sort of ["name", "-in_use"]) {
    await page.goto("about:blank");
    await page.goto(`${bed.address}#sort=${sort}`);
    await row(page, 1000).waitFor({ state: "attached" });
    assert.equal((await names(page)).length, 1000);
    await until("the first pulses", () => page.evaluate("taken.length >= 3"));
    await page.evaluate("taken.length = longTasks.length = 0");
    await until("pulses", () => page.evaluate(`taken.length >= ${PULSES}`));
    const { taken, longTasks } = await page.evaluate("({ taken, longTasks })");
    taken.sort((one, other) => one - other);
    const median = taken[Math.floor(taken.length / 2)];
    const long = longTasks.map((duration) => `${Math.round(duration)} ms`).join(", ");
    t.diagnostic(`by ${sort}: a pulse's script takes ${median.toFixed(1)} ms in the median; tasks over 50 ms in ${PULSES} s: ${long || "none"}`);
    assert.ok(median < 200, `${median} ms`);
  }
  await picture(page, "crowd");

  const [first] = await names(page);
  await page.locator("#filter").fill("testing-777");
  await reads(page, "#count", "1 of 1000 instances");
  await page.locator("#filter").fill("");
  await reads(page, "#count", "1000 instances");
  assert.equal((await names(page))[0], first);

  // Who was far away is drawn when it comes near.
  const last = page.locator("#instances tr").last();
  await last.scrollIntoViewIfNeeded();
  const curve = () => last.locator(".curve .line").getAttribute("d");
  const before = await curve();
  await until("its curve goes on", async () => (await curve()) !== before);
  assert.deepEqual(page.faults, []);
});

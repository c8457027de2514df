import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Bed, Browser, axe, picture, until } from "./bed.mjs";
import { BANNER, cell, reads, row } from "./look.mjs";

let bed, browser;

before(async () => {
  bed = await Bed.start({ domains: 24 });
  browser = await Browser.start();
  await bed.command(
    "metadata instance-00000002 name <img src=x onerror=alert(1)> is a name as well, and quite a long one",
  );
  await bed.command("suspend instance-00000003");
  await bed.command("stuck instance-00000005");
  await bed.command("balloon instance-00000007 off");
  await bed.command("destroy instance-00000009");
  await bed.survey();
});
after(async () => {
  await browser?.stop();
  await bed?.stop();
});

const LOOKS = {
  light: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true },
  "phone-dark": { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
  tablet: { viewport: { width: 800, height: 1000 } },
};

/** Bars that are higher than their place. */
const TALL = `Array.from(document.querySelectorAll(".bar > *"))
  .filter((part) => part.getBoundingClientRect().height > part.parentElement.getBoundingClientRect().height).length`;

/** Nothing that keeps anybody from using it, and nothing that scrolls sideways. */
async function assertUsable(page, what) {
  // Axe comes by the debugger, for the page itself runs no script but its own.
  await page.evaluate(await readFile(axe, "utf8"));
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const said = grave.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${html}\n${failureSummary}`)
        .join("\n")}`,
  );
  assert.deepEqual(said, [], what);
  assert.equal(await page.evaluate(TALL), 0, what);
  const sideways =
    "[document.documentElement, ...document.querySelectorAll('dialog[open]')].map((it) => it.scrollWidth - it.clientWidth)";
  for (const beyond of await page.evaluate(sideways))
    assert.ok(beyond <= 0, `${what}: ${beyond} pixels too wide`);
}

for (const [name, look] of Object.entries(LOOKS)) {
  test(`everybody can use it: ${name}`, async () => {
    const page = await browser.open(bed.address, look);
    await until("a curve", async () => /\d/.test(await cell(page, 1, "in-use")));
    await reads(page, "#stuck-title", /stuck/);
    await picture(page, name);
    await assertUsable(page, name);
    await row(page, 2).locator("button").click();
    await page.locator("#details .ids div").first().waitFor();
    await picture(page, `${name}-details`);
    await assertUsable(page, `${name}, details`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test("on paper there is all of it", async () => {
  const page = await browser.open(bed.address, { viewport: { width: 1000, height: 1400 } });
  await until("a curve", async () => /\d/.test(await cell(page, 1, "in-use")));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#filter").isVisible(), false);
  assert.equal(await row(page, 24).locator(".is-in-use > span").first().isVisible(), true);
  await picture(page, "paper");
  await page.context().close();
});

test("everybody can use it: outage", async () => {
  await bed.libvirtd.kill("SIGKILL");
  for (const name of ["light", "dark"]) {
    const page = await browser.open(bed.address, LOOKS[name]);
    await reads(page, BANNER, /^libvirt is down since/);
    await picture(page, `${name}-outage`);
    await assertUsable(page, `${name}, outage`);
    await page.context().close();
  }
});

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Bed, Browser, until } from "./bed.mjs";
import { Double, board } from "./double.mjs";
import { reads, row, uuid } from "./look.mjs";

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

/** Cells of the first line of a table of devices, by their titles. */
function device(place) {
  return page
    .locator(".devices")
    .nth(place)
    .locator("tbody tr")
    .first()
    .evaluate((line) =>
      Object.fromEntries(
        Array.from(line.children, (cell) => [cell.dataset.title, cell.firstChild.textContent]),
      ),
    );
}

test("a row opens all that is known of its instance", async () => {
  page = await browser.open(bed.address);
  await row(page, 2).locator(".is-steal").click();
  await reads(page, "#details-title", "testing-2");
  const id = (key) => page.locator(`#details .ids [data-key=${key}] bdi`).textContent();
  await until("the ids", async () => (await page.locator("#details .ids div").count()) > 0);
  assert.equal(await id("uuid"), uuid(2));
  assert.equal(await id("domain"), "instance-00000002");
  assert.equal(await id("user"), "bob");
  assert.equal(await id("flavor_id"), "–");
  assert.equal(await id("state"), "running");
  await reads(page, "#details-in-use", /^\d\.\d\d$/);
  assert.match(await page.locator("#details-memory").textContent(), /iB$/);
  const vcpu = await device(0);
  assert.equal(vcpu.vCPU, "0");
  assert.match(vcpu["In use"], /^\d+\.\d %$/);
  const disk = await device(1);
  assert.equal(disk.Disk, "vda");
  assert.equal(disk.Size, "20 GiB");
  assert.match(disk.Read, /^[\d.]+ kB\/s$/);
  assert.match(disk.Writes, /^[\d.]+ \/s$/);
  const nic = await device(2);
  assert.equal(nic.MAC, "fa:16:3e:00:00:02");
  assert.match(nic.In, /^[\d.]+ kB\/s$/);
});

test("an id is copied, also where scripts have no clipboard", async () => {
  for (const hasClipboard of [true, false]) {
    page = await browser.open("about:blank", { permissions: ["clipboard-read", "clipboard-write"] });
    // As over plain HTTP from another machine.
    if (!hasClipboard) await page.addInitScript("delete Navigator.prototype.clipboard");
    await page.goto(bed.address);
    await row(page, 1).locator("button").click();
    const line = page.locator("#details .ids [data-key=uuid]");
    await line.locator("button").click();
    await reads(page, "#copied", `copied ${uuid(1)}`);
    await page.locator("#close").click();
    // What was selected to be copied is in nobody's way.
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#details").isVisible(), true);
    await page.keyboard.press("Escape");
    await page.locator("#filter").focus();
    await page.keyboard.press("Control+V");
    assert.equal(await page.locator("#filter").inputValue(), uuid(1));
    await page.context().close();
  }
  page = undefined;
});

test("a new board renews the open details, and leaves the focus where it is", async () => {
  double.show(board([{ name: "a" }]));
  double.details = { ...(await (await bed.get(`-/instance/${uuid(1)}`)).json()), user: "one" };
  page = await browser.open(double.address);
  await row(page, 1).locator("button").click();
  const user = page.locator("#details .ids [data-key=user] bdi");
  await until("the first user", async () => (await user.textContent()) === "one");
  const copy = page.locator("#details .ids [data-key=project_id] button");
  await copy.focus();
  double.details = { ...double.details, user: "two", disks: [] };
  double.show(board([{ name: "b" }], { edition: 2 }));
  await until("the second user", async () => (await user.textContent()) === "two");
  assert.equal(await copy.evaluate((button) => button === document.activeElement), true);
  assert.equal(await page.locator("#details-title").textContent(), "b");
  assert.equal(await page.locator(".devices").nth(1).isVisible(), false);
});

test("who ends while it is looked at is said to have ended", async () => {
  page = await browser.open(bed.address, { outage: true });
  await row(page, 3).locator("button").click();
  await page.locator("#details .ids div").first().waitFor();
  await bed.command("destroy instance-00000003");
  await reads(page, "#details-missing", "This instance does not run on this host any more.");
  assert.equal(await page.locator("#details-in-use").getAttribute("aria-label"), "not known");
  // The next run of it is another one, and shown at once.
  await bed.command("start instance-00000003");
  await reads(page, "#details-missing", "");
  await reads(page, "#details-in-use", /^\d\.\d\d$/);
  await bed.command("destroy instance-00000003");
  await reads(page, "#details-missing", /any more/);
  await page.locator("#close").click();
  await row(page, 3).waitFor({ state: "detached" });
});

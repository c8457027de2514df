// What the page shows, as somebody reads it.

import { until } from "./bed.mjs";

/** The row of an instance, by the number of its UUID. */
export function row(page, number) {
  return page.locator(`#instances tr[data-key="${uuid(number)}"]`);
}

export function uuid(number) {
  return `11111111-2222-4333-8444-${number.toString(16).padStart(12, "0")}`;
}

/** The text of a cell, by its column's class; what is said of it where it is not known. */
export async function cell(page, number, column) {
  return row(page, number)
    .locator(`.is-${column}`)
    .evaluate((cell) => {
      const known = Array.from(cell.querySelectorAll("[role=img]"), (image) =>
        image.getAttribute("aria-label"),
      );
      return [cell.textContent, ...known.filter((label) => label === "not known")].join("|");
    });
}

/** Names in the order of the rows that are shown. */
export async function names(page) {
  return page
    .locator("#instances")
    .evaluate((body) =>
      Array.from(body.querySelectorAll("tr:not([hidden]) button bdi"), (name) => name.textContent),
    );
}

/** Waits until a text is what is asked for. */
export async function reads(page, selector, expected) {
  const locator = page.locator(selector);
  let found = "";
  const matches = (text) => (expected instanceof RegExp ? expected.test(text) : text === expected);
  await until(`${selector} reads ${expected}`, async () =>
    matches((found = (await locator.textContent()) ?? "")),
  ).catch((error) => {
    throw new Error(`${error.message}, but: ${found}`);
  });
}

/** The banner that stands over the page; empty where nothing is wrong. */
export const BANNER = "#banner";

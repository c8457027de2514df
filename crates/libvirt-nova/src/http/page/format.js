// Numbers as text, of which `null` stays `null`. Memory and disks are counted in binary units, as
// flavors are (1 GiB = 1024 MiB); what moves in a second in decimal ones (1 MB = 1000 kB).

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DECIMAL = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];

/** vCPUs in use. */
function cores(number) {
  return number === null ? null : digits(number);
}

function count(number) {
  return number === null ? null : String(number);
}

/** Bytes that are there. */
function bytes(number) {
  return number === null ? null : scaled(number, 1024, BINARY);
}

/** Bytes a second. */
function rate(number) {
  return number === null ? null : scaled(number, 1000, DECIMAL);
}

/** Requests or packets a second. */
function frequency(number) {
  return number === null ? null : `${digits(number)} /s`;
}

/** A part, 0 to 1. */
function percent(part) {
  if (part === null) return null;
  const number = part * 100;
  return `${number.toFixed(number < 99.95 ? 1 : 0)} %`;
}

/** How long something takes, or how old it is. */
function duration(seconds) {
  if (seconds === null) return null;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** The local time of a moment, in seconds since the epoch; with its day if that is not today. */
function clock(seconds) {
  const at = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** What there is in the plural, unless it is one. */
function plural(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Three digits, or all of a larger number's. */
function digits(number) {
  return number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
}

function scaled(number, base, units) {
  let [rest, place] = [number, 0];
  while (Math.round(rest) >= base && place < units.length - 1) {
    rest /= base;
    place += 1;
  }
  return `${Number.isInteger(rest) || place === 0 ? Math.round(rest) : digits(rest)} ${units[place]}`;
}

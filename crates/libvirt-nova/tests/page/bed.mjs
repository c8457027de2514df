// The exporter before a simulated libvirtd, and a browser that looks at it.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));
const binaries = process.env.LIBVIRT_NOVA_BINARIES ?? join(checkout, "target/debug");
/** Packages are there, and pictures of the page go there. */
export const place = join(checkout, "target/page");
const require = createRequire(join(place, "/"));
const { chromium } = require("playwright-core");
export const axe = require.resolve("axe-core/axe.min.js");

/** Any process may stand still for a while, and the test has to pass. */
export const PATIENCE_MS = 30_000;

/** Waits until something holds, and returns it. */
export async function until(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`never came to be: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Bed {
  static async start({ domains }) {
    const bed = new Bed();
    bed.directory = await mkdtemp(join(tmpdir(), "page-"));
    bed.socket = join(bed.directory, "libvirt");
    bed.domains = domains;
    bed.port = await freePort();
    bed.address = `http://127.0.0.1:${bed.port}/`;
    await bed.startLibvirtd();
    await bed.startExporter();
    return bed;
  }

  async startLibvirtd() {
    const control = join(this.directory, "control");
    for (const left of [control, this.socket, `${this.socket}-ro`]) await rm(left, { force: true });
    const options = ["--socket", this.socket, "--domains", String(this.domains), "--control", control];
    this.libvirtd = new Program("libvirtd-sim", options);
    await until("the simulator takes commands", () => this.command("clear").catch(() => false));
  }

  async startExporter() {
    // Each scrape is to be a survey of its own.
    const options = [
      "-uri",
      `${this.socket}-ro`,
      "--web.listen-address",
      `127.0.0.1:${this.port}`,
      "-log",
      "-",
      "--min-age",
      "0",
    ];
    this.exporter = new Program("libvirt_nova", options);
    await until("the exporter is ready", async () => (await this.get("-/ready").catch(() => null))?.ok);
  }

  get(path) {
    return fetch(this.address + path);
  }

  async scrape() {
    await (await this.get("metrics")).text();
  }

  /** Returns the board that a stream begins with. */
  async board() {
    const stop = new AbortController();
    const response = await fetch(`${this.address}-/live`, { signal: stop.signal });
    let text = "";
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("\n\n")) break;
    }
    stop.abort();
    const [event, data] = text.split("\n");
    if (event !== "event: board") throw new Error(`expected a board, found ${event}`);
    return JSON.parse(data.slice("data: ".length));
  }

  /** Scrapes until rates are known, which takes two that are apart. */
  async survey() {
    return until("rates are known", async () => {
      await this.scrape();
      const board = await this.board();
      return board.instances.some((row) => row.steal !== null && row.read_bytes !== null) && board;
    });
  }

  /** Gives the simulator a command. */
  command(line) {
    return new Promise((resolve, reject) => {
      const socket = connect(join(this.directory, "control"));
      let answer = "";
      socket.on("error", reject);
      socket.on("data", (data) => {
        answer += data;
        if (!answer.includes("\n")) return;
        socket.destroy();
        if (answer === "ok\n") resolve(true);
        else reject(new Error(`${line}: ${answer}`));
      });
      socket.write(`${line}\n`);
    });
  }

  async stop() {
    await this.exporter.kill("SIGTERM");
    await this.libvirtd.kill("SIGTERM");
    await rm(this.directory, { recursive: true });
  }
}

/** A process that ends with its bed, or with a test that fails before there is one. */
class Program {
  constructor(name, options) {
    const program = join(binaries, name);
    this.process = spawn(program, options, { stdio: "ignore" });
    this.process.unref();
    process.on("exit", () => this.process.kill("SIGKILL"));
    this.ended = new Promise((resolve, reject) => {
      this.process.on("exit", resolve);
      this.process.on("error", reject);
    });
  }

  signal(signal) {
    this.process.kill(signal);
  }

  async kill(signal) {
    this.process.ref();
    this.signal(signal);
    await this.ended;
  }
}

/** A browser, and the faults that its pages find. */
export class Browser {
  static async start() {
    const browser = new Browser();
    const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
    browser.chromium = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
    return browser;
  }

  /** Opens a page; `outage` says that what it asks for may fail. */
  async open(address, { outage = false, ...options } = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(String(error.stack)));
    page.on("console", (message) => {
      const isOutage = outage && message.text().startsWith("Failed to load resource");
      if (["error", "warning"].includes(message.type()) && !isOutage) page.faults.push(message.text());
    });
    page.asked = [];
    page.on("request", (request) => page.asked.push(request.url()));
    await page.goto(address);
    return page;
  }

  async stop() {
    await this.chromium.close();
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Keeps a picture, for who looks at the design. */
export async function picture(page, name) {
  await writeFile(join(place, `${name}.png`), await page.screenshot());
}

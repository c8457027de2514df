// The exporter's page with events that a test makes up: what takes minutes, or a fault of a proxy's.

import { createServer } from "node:http";

import { freePort } from "./bed.mjs";
import { uuid } from "./look.mjs";

export class Double {
  /** The page comes from a `bed`; the double is as behind a proxy, below a path. */
  static async start(bed) {
    const double = new Double();
    double.bed = bed;
    double.streams = new Set();
    double.opened = 0;
    /** What is answered where it is not null: a status. */
    double.refusal = null;
    double.details = null;
    double.server = createServer((request, response) => double.answer(request, response));
    const port = await freePort();
    await new Promise((resolve) => double.server.listen(port, "127.0.0.1", resolve));
    double.address = `http://127.0.0.1:${port}/behind/a/proxy/`;
    return double;
  }

  async answer({ url }, response) {
    const path = url.replace("/behind/a/proxy/", "");
    if (this.refusal !== null) {
      response.writeHead(this.refusal, { "Content-Type": "text/html" }).end("<p>Bad gateway");
    } else if (path === "-/live") {
      this.opened += 1;
      this.streams.add(response);
      response.on("close", () => this.streams.delete(response));
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      if (this.board !== undefined) response.write(event("board", this.board));
      else response.flushHeaders();
    } else if (path.startsWith("-/instance/") && this.details !== null) {
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(this.details));
    } else {
      const page = await this.bed.get(path);
      response.writeHead(page.status, Object.fromEntries(page.headers)).end(await page.text());
    }
  }

  /** Sends a board to all who look, and to who comes. */
  show(board) {
    this.board = board;
    this.send("board", board);
  }

  send(name, data) {
    for (const stream of this.streams) stream.write(event(name, data));
  }

  /** Ends all streams; what comes then is answered with a status, or as before with null. */
  refuse(status) {
    this.refusal = status;
    for (const stream of this.streams) stream.destroy();
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function event(name, data) {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A board of rows, of which nothing is known but what is said here. */
export function board(rows, pulse = {}, host = {}) {
  return {
    host: {
      name: "double",
      version: "0.1.0",
      cpus: null,
      memory: null,
      is_listed: true,
      is_filtered: false,
      inactive: 0,
      metrics_path: "/metrics",
      ...host,
    },
    instances: rows.map(({ recent: _recent, in_use: _inUse, ...facts }, place) => ({
      ...unknown(place + 1),
      ...facts,
    })),
    recent: rows.map(({ recent }) => recent ?? []),
    pulse: {
      edition: 1,
      at: Date.now() / 1000,
      libvirt: { state: "up", since: Date.now() / 1000 - 60, error: null },
      polled: 0.5,
      surveyed: 1,
      in_use: rows.map(({ in_use: inUse }) => inUse ?? null),
      peak: rows.map(({ in_use: inUse }) => inUse ?? null),
      stuck: [],
      ...pulse,
    },
  };
}

const FIELDS = [
  "is_nova",
  "name",
  "project",
  "project_id",
  "flavor",
  "state",
  "vcpus",
  "memory",
  "memory_used",
  "read_bytes",
  "written_bytes",
  "read_requests",
  "write_requests",
  "received_bytes",
  "transmitted_bytes",
  "steal",
];

function unknown(number) {
  const domain = `instance-${number.toString(16).padStart(8, "0")}`;
  return { uuid: uuid(number), domain, ...Object.fromEntries(FIELDS.map((field) => [field, null])) };
}

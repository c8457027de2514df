// An instance in full, in a dialog.

const IDS = [
  ["uuid", "UUID"],
  ["domain", "libvirt's name"],
  ["id", "libvirt's id of this run"],
  ["state", "State"],
  ["reason", "State's reason"],
  ["project", "Project"],
  ["project_id", "Project's id"],
  ["user", "User"],
  ["user_id", "User's id"],
  ["flavor", "Flavor"],
  ["flavor_id", "Flavor's id"],
  ["image_id", "Image's id"],
  ["machine", "Machine"],
];
/** What somebody takes elsewhere. */
const COPIED = new Set(["uuid", "domain", "project_id", "user_id", "flavor_id", "image_id"]);

/** Tables of devices: the key of their lines, and what each column shows. */
const DEVICES = [
  {
    list: "vcpus",
    title: "vCPUs",
    key: "number",
    columns: [
      ["number", "vCPU", "text"],
      ["state", "State"],
      ["in_use", "In use", percent],
      ["steal", "Steal", percent],
    ],
  },
  {
    list: "disks",
    title: "Disks",
    key: "target",
    columns: [
      ["target", "Disk"],
      ["device", "Device"],
      ["bus", "Bus"],
      ["capacity", "Size", bytes],
      ["read_bytes", "Read", rate],
      ["written_bytes", "Written", rate],
      ["read_requests", "Reads", frequency],
      ["write_requests", "Writes", frequency],
      ["volume_uuid", "Volume", "id"],
      ["source", "Source", "long"],
    ],
  },
  {
    list: "interfaces",
    title: "Network interfaces",
    key: "mac",
    columns: [
      ["target", "Interface"],
      ["kind", "Kind"],
      ["bridge", "Bridge"],
      ["received_bytes", "In", rate],
      ["transmitted_bytes", "Out", rate],
      ["drops", "Dropped", frequency],
      ["mac", "MAC", "id"],
      ["port_uuid", "Port", "id"],
    ],
  },
];

/** How long the exporter may take to answer. */
const PATIENCE_MS = 5000;

class Dialog {
  constructor() {
    this.dialog = byId("details");
    this.instance = null;
    byId("details-minute").append(curve());
    this.ids = element("dl", { class: "ids" });
    this.tables = DEVICES.map((devices) => deviceTable(devices));
    byId("details-body").append(this.ids, ...this.tables);
    byId("close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", ({ target }) => {
      const button = target.closest("button.copy");
      if (button !== null) copy(button.previousElementSibling);
    });
    this.dialog.addEventListener("close", () => (this.instance = null));
  }

  open(instance) {
    this.instance = instance;
    this.show(null);
    this.draw();
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    this.ask();
  }

  /** Takes over a board's instances: the one that is shown may have begun anew, or ended. */
  learn(byUuid) {
    if (this.instance === null) return;
    const now = byUuid.get(this.instance.uuid);
    if (now === undefined) this.instance.end();
    else this.instance = now;
    this.ask();
  }

  /** Draws what moves each second. */
  draw() {
    if (this.instance === null) return;
    quote(byId("details-title").firstChild, this.instance.name);
    const vcpus = this.instance.facts.vcpus;
    tell(byId("details-in-use"), cores(this.instance.inUse));
    tell(byId("details-peak"), cores(this.instance.peak));
    write(byId("details-vcpus"), vcpus === null ? "" : ` of ${vcpus}`);
    const { memory } = this.instance.facts;
    tell(byId("details-memory"), bytes(this.instance.surveyed("memory_used")));
    write(byId("details-allocated"), memory === null ? "" : ` of ${bytes(memory)}`);
    tell(byId("details-steal"), percent(this.instance.surveyed("steal")));
    drawCurve(byId("details-minute").firstChild, this.instance);
  }

  /** Asks for the rest, which has the age of the last survey. */
  async ask() {
    const asked = this.instance;
    const { details, fault } = await fetchDetails(asked.uuid);
    if (asked !== this.instance) return;
    write(byId("details-missing"), fault ?? "");
    if (details !== undefined) this.show(details);
  }

  show(details) {
    this.ids.hidden = details === null;
    const ids =
      details === null ? [] : IDS.map(([field, title]) => ({ field, title, value: details[field] }));
    renew(this.ids, ids, ({ field }) => field, makeId, drawId);
    this.tables.forEach((table, index) =>
      drawDevices(table, DEVICES[index], details?.[DEVICES[index].list] ?? []),
    );
  }
}

async function fetchDetails(uuid) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`-/instance/${encodeURIComponent(uuid)}`, { signal });
    if (response.ok) return { details: await response.json() };
    if (response.status === 404) return { fault: "This instance does not run on this host any more." };
    return { fault: `The exporter does not say more of it: ${response.status}.` };
  } catch {
    return { fault: "The exporter does not answer." };
  }
}

function makeId({ field, title }) {
  const line = element("div", {}, element("dt", {}, title), element("dd", {}, element("bdi")));
  if (COPIED.has(field)) line.lastChild.append(copyButton(title));
  return line;
}

function drawId(line, { value }) {
  const [shown, button] = line.lastChild.children;
  quote(shown, value === null ? null : String(value));
  if (button !== undefined) button.hidden = value === null;
}

function deviceTable({ title, columns }) {
  // The roles are said because a narrow screen lays the table out as none.
  const titles = columns.map(([, name, format]) =>
    element("th", { scope: "col", role: "columnheader", class: look(format) }, name),
  );
  const table = element(
    "table",
    { role: "table" },
    element("caption", {}, title),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...titles)),
    element("tbody", { role: "rowgroup" }),
  );
  return element("div", { class: "devices" }, table);
}

function drawDevices(parent, { columns, key }, devices) {
  parent.hidden = devices.length === 0;
  const make = () => element("tr", { role: "row" }, ...columns.map(deviceCell));
  const numbered = devices.map((device, place) => ({ device, key: `${device[key]} ${place}` }));
  renew(
    parent.querySelector("tbody"),
    numbered,
    (line) => line.key,
    make,
    (row, { device }) => {
      columns.forEach(([field, , format], index) => {
        const [shown, button] = row.children[index].children;
        const value = device[field];
        if (typeof format === "function") tell(shown, format(value));
        else quote(shown, value === null ? null : String(value));
        if (button !== undefined) button.hidden = value === null;
      });
    },
  );
}

function deviceCell([, title, format]) {
  const cell = element("td", { role: "cell", class: look(format), "data-title": title }, element("bdi"));
  if (format === "id") cell.append(copyButton(title));
  return cell;
}

function look(format) {
  return typeof format === "function" ? "number" : (format ?? "text");
}

function copyButton(title) {
  return element("button", { type: "button", class: "copy", "aria-label": `Copy: ${title}` }, "copy");
}

async function copy(shown) {
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(shown.textContent);
  } catch {
    // Over plain HTTP a browser has no clipboard for scripts, but copies what is selected.
    getSelection().selectAllChildren(shown);
    isCopied = document.execCommand("copy");
    if (isCopied) getSelection().removeAllRanges();
  }
  // The same words again would not be read out.
  write(byId("copied"), "");
  write(byId("copied"), isCopied ? `copied ${shown.textContent}` : "select it and copy it by hand");
  shown.classList.add("copied");
  setTimeout(() => shown.classList.remove("copied"), 800);
}

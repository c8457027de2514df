// The columns of the table: what each is called, sorts by, and draws.

const RATE = "as of the last scrape; decimal units: 1 MB = 1000 kB";

const COLUMNS = [
  {
    key: "name",
    title: "Instance",
    hint: "Nova's name; libvirt's where it has none",
    isText: true,
    order: (instance) => instance.rank,
    make: makeName,
    draw: drawName,
  },
  text("project", "Project"),
  text("flavor", "Flavor"),
  {
    ...text("state", "State"),
    hint: "libvirt's word, and whether QEMU answers libvirt",
    order: (instance) => (instance.isStuck ? "stuck" : instance.facts.state),
    draw: drawState,
  },
  {
    key: "in_use",
    title: "vCPUs in use",
    hint: "of those it has, in the last second; I/O that QEMU does for it counts, too",
    order: (instance) => shownCores(instance.inUse),
    make: (cell) => cell.append(element("span"), element("span", { class: "of" })),
    draw: drawInUse,
  },
  {
    key: "peak",
    title: "Last minute",
    hint: "vCPUs in use, from none to all it has; sorted by the peak",
    order: (instance) => shownCores(instance.peak),
    make: (cell) => cell.append(curve(), element("span")),
    draw: drawMinute,
  },
  {
    key: "memory_used",
    title: "Memory",
    hint: "used of allocated, caches not counted, as of the last scrape; binary units: 1 GiB = 1024 MiB",
    isSurveyed: true,
    order: (instance) => instance.surveyed("memory_used"),
    make: makeMemory,
    draw: drawMemory,
  },
  measured("read_bytes", "Disk read", rate, RATE),
  measured("written_bytes", "Disk written", rate, RATE),
  measured("received_bytes", "Net in", rate, RATE),
  measured("transmitted_bytes", "Net out", rate, RATE),
  measured(
    "steal",
    "Steal",
    percent,
    "of its vCPUs' time, waiting for a CPU of the host; as of the last scrape",
  ),
];

/** vCPUs as far as they are shown: rows that read the same do not change places each second. */
function shownCores(number) {
  return number === null ? null : Math.round(number * 100);
}

/** A column of text that somebody chose. */
function text(field, title) {
  return {
    key: field,
    title,
    isText: true,
    order: (instance) => instance.facts[field],
    make: (cell) => cell.append(element("bdi")),
    draw: (cell, instance) => quote(cell.firstChild, instance.facts[field]),
  };
}

/** A column of numbers that a survey found. */
function measured(field, title, format, hint) {
  return {
    key: field,
    title,
    hint,
    isSurveyed: true,
    order: (instance) => instance.surveyed(field),
    make: (cell) => cell.append(element("span")),
    draw: (cell, instance) => tell(cell.firstChild, format(instance.surveyed(field))),
  };
}

function makeName(cell) {
  const opener = element("button", { type: "button", "aria-haspopup": "dialog" }, element("bdi"));
  // On a narrow screen it stands for the columns that are not there.
  const folded = element("span", { class: "folded" }, element("span"), element("bdi"));
  cell.append(opener, element("span", { class: "tag" }), folded);
}

function drawName(cell, instance) {
  const [opener, tag, folded] = cell.children;
  quote(opener.firstChild, instance.name);
  write(tag, instance.origin);
  tag.hidden = instance.origin === "";
  const [state, project] = folded.children;
  write(state, instance.isStuck ? stuckText(instance) : (instance.facts.state ?? ""));
  quote(project, instance.facts.project ?? "");
}

function drawState(cell, instance) {
  const state = cell.firstChild;
  tell(state, instance.isStuck ? stuckText(instance) : instance.facts.state);
  const look = instance.isStuck ? "stuck" : (instance.facts.state ?? "unknown");
  if (cell.dataset.state !== look) cell.dataset.state = look;
}

function stuckText(instance) {
  return `stuck ${duration(instance.stuckFor)}`;
}

function drawInUse(cell, instance) {
  const [inUse, of] = cell.children;
  tell(inUse, cores(instance.inUse));
  const vcpus = instance.facts.vcpus;
  write(of, vcpus === null ? "" : ` of ${vcpus}`);
}

function drawMinute(cell, instance) {
  const [image, peak] = cell.children;
  drawCurve(image, instance);
  tell(peak, cores(instance.peak));
}

function makeMemory(cell) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span", { class: "used" }));
  cell.append(element("span"), element("span", { class: "of" }), bar);
}

function drawMemory(cell, instance) {
  const [used, of, bar] = cell.children;
  const [bytesUsed, memory] = [instance.surveyed("memory_used"), instance.facts.memory];
  tell(used, bytes(bytesUsed));
  write(of, memory === null ? "" : ` of ${bytes(memory)}`);
  bar.hidden = bytesUsed === null || !memory;
  fill(bar.firstChild, bytesUsed / memory);
}

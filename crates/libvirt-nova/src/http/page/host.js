// The top of the page: the host, all of its instances together, and how old that is.

/** Draws the tiles. */
function drawHost(host, pulse, instances) {
  write(byId("host-name"), host.name ?? location.hostname);
  const inUse = sum(host, instances, (instance) => instance.inUse);
  const vcpus = sum(host, instances, ({ facts }) => facts.vcpus);
  tell(byId("vcpus-in-use"), cores(inUse.total));
  drawSum("vcpus", inUse, vcpus.total, host.cpus, count);
  const used = sum(host, instances, (instance) => instance.surveyed("memory_used"));
  const memory = sum(host, instances, ({ facts }) => facts.memory);
  tell(byId("memory-used"), bytes(used.total));
  drawSum("memory", used, memory.total, host.memory, bytes);
  drawStates(host, instances);
  drawAges(pulse);
  drawStuck(instances.filter((instance) => instance.isStuck));
}

/** The sum of what is known, `null` where nothing is, and of how many it is not. */
function sum(host, instances, read) {
  const known = instances.map(read).filter((value) => value !== null);
  const none = known.length === 0 && (instances.length > 0 || !host.is_listed);
  return {
    total: none ? null : known.reduce((all, one) => all + one, 0),
    missing: instances.length - known.length,
  };
}

function drawSum(subject, used, allocated, physical, format) {
  tell(byId(`${subject}-allocated`), format(allocated));
  tell(byId(`${subject}-physical`), format(physical));
  const missing = used.missing === 0 ? "" : `not known of ${plural(used.missing, "instance")}`;
  write(byId(`${subject}-missing`), missing);
  const [bar] = byId(`${subject}-allocated`).closest(".tile").getElementsByClassName("bar");
  const parts = [allocated, used.total, physical];
  const whole = Math.max(...parts.map((part) => part ?? 0), 1);
  parts.forEach((part, index) => fill(bar.children[index], (part ?? 0) / whole));
}

function drawStates(host, instances) {
  const counts = new Map();
  for (const { facts } of instances) {
    // Who is listed as active and has not been asked is active, whatever that is in detail.
    const state = facts.state ?? "active";
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const first = counts.has("running") || !counts.has("active") ? "running" : "active";
  const number = counts.get(first) ?? 0;
  counts.delete(first);
  if (host.inactive > 0) counts.set("shut off", host.inactive);
  tell(byId("running"), host.is_listed ? String(number) : null);
  write(byId("running-word"), first);
  write(byId("states"), Array.from(counts, ([state, number]) => `${number} ${state}`).join(", "));
}

function drawAges({ libvirt, polled, surveyed }) {
  write(byId("libvirt-state"), `libvirt ${libvirt.state}`);
  write(byId("libvirt-since"), `since ${clock(libvirt.since)}`);
  write(byId("poll-age"), polled === null ? "not polled yet." : `${duration(polled)} ago.`);
  const survey =
    surveyed === null ? "nothing has scraped yet." : `as of the last scrape, ${duration(surveyed)} ago.`;
  const isGone = surveyed !== null && surveyed > SURVEY_GONE;
  write(
    byId("survey-age"),
    isGone ? `the last scrape was ${duration(surveyed)} ago, too long to go by.` : survey,
  );
  const isOld = surveyed === null || surveyed > SURVEY_OLD;
  byId("survey-hint").hidden = !isOld;
  document.body.classList.toggle("survey-old", isOld);
}

function drawStuck(stuck) {
  byId("stuck").hidden = stuck.length === 0;
  const title = `${plural(stuck.length, "instance")} stuck: QEMU does not answer libvirt`;
  write(byId("stuck-title"), stuck.length === 0 ? "" : title);
  const make = () =>
    element("li", {}, element("button", { type: "button" }, element("bdi")), element("span"));
  renew(
    byId("stuck-list"),
    stuck,
    (instance) => instance.uuid,
    make,
    (item, instance) => {
      quote(item.firstChild.firstChild, instance.name);
      write(item.lastChild, ` ${duration(instance.stuckFor)}`);
    },
  );
}

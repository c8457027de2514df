// The page: what comes is taken over and drawn. Of what is not known nothing is made up, and what
// is old is said to be.

/** What is known, all from the stream. */
const known = { host: null, edition: null, pulse: null, instances: [], byUuid: new Map() };

const choice = new Choice();
const dialog = new Dialog();
const table = new Table(choice, open);
const stream = new Stream("-/live", { onBoard, onPulse, onChange: draw });

byId("stuck-list").addEventListener("click", ({ target }) => {
  const item = target.closest("button")?.closest("li");
  if (item) open(item.dataset.key);
});
byId("filter").value = choice.filter;
byId("filter").addEventListener("input", ({ target }) => {
  choice.filterBy(target.value);
  table.arrange({ isAsked: true });
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, dialog") !== null) return;
  event.preventDefault();
  byId("filter").focus();
});
addEventListener("hashchange", () => {
  choice.read();
  byId("filter").value = choice.filter;
  table.arrange({ isAsked: true });
});

function open(uuid) {
  const instance = known.byUuid.get(uuid);
  if (instance !== undefined) dialog.open(instance);
}

function onBoard({ host, instances, recent, pulse }) {
  const before = known.byUuid;
  known.instances = instances.map((facts, place) => {
    const instance = before.get(facts.uuid) ?? new Instance(facts.uuid);
    instance.learn(facts, recent[place], pulse.at);
    return instance;
  });
  known.byUuid = new Map(known.instances.map((instance) => [instance.uuid, instance]));
  known.host = host;
  known.edition = pulse.edition;
  feel(pulse);
  table.learn(host, known.instances);
  dialog.learn(known.byUuid);
  draw();
}

function onPulse(pulse) {
  // Its numbers are by place on a board; on another one they would be somebody else's.
  if (pulse.edition !== known.edition) return;
  feel(pulse);
  draw();
}

function feel(pulse) {
  known.pulse = pulse;
  known.instances.forEach((instance, place) => instance.feel(pulse, place));
  for (const [place, seconds] of pulse.stuck) known.instances[place].stuckFor = seconds;
}

function draw() {
  const { host, pulse, instances } = known;
  const isOutage = drawBanner(stream, pulse);
  // Nobody knows yet whether what was shown before the page was hidden still holds.
  document.body.classList.toggle("outage", isOutage || stream.isAwaited);
  drawTitle(host, instances, isOutage);
  if (host === null) return;
  byId("main").hidden = false;
  drawHost(host, pulse, instances);
  drawVersion(host);
  table.renew();
  dialog.draw();
}

/** An exporter that was renewed may send what this page does not know. */
function drawVersion({ version }) {
  byId("renewed").hidden = version === byId("version").textContent;
}

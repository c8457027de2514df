// The vCPUs that an instance used in each second of the last minute, and their curve.

const SECONDS = 60;
/** A curve goes on over so many seconds of which nothing is known. */
const BRIDGED = 2;
const HEIGHT = 20;
const SVG = "http://www.w3.org/2000/svg";

class Minute {
  /** `recent` has a slot a second, the last one that of `at`. */
  constructor(recent, at) {
    this.slots = recent.slice(-SECONDS);
    this.end = at;
  }

  /** Adds what a pulse says, in the slot of its second. */
  note(at, inUse) {
    const passed = Math.min(Math.max(Math.round(at - this.end), 0), SECONDS);
    for (let second = 0; second < passed; second += 1) this.slots.push(null);
    if (this.slots.length > SECONDS) this.slots.splice(0, this.slots.length - SECONDS);
    this.end += Math.round(at - this.end);
    if (inUse === null) return;
    if (this.slots.length === 0) this.slots.push(inUse);
    else this.slots[this.slots.length - 1] = inUse;
  }

  /** The least that was in use. */
  get least() {
    const known = this.slots.filter((inUse) => inUse !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Runs of seconds without a longer gap: places and values. */
  runs() {
    const runs = [];
    let last = -Infinity;
    const begin = SECONDS - this.slots.length;
    this.slots.forEach((inUse, index) => {
      if (inUse === null) return;
      if (index - last > BRIDGED + 1) runs.push([]);
      runs.at(-1).push([begin + index, inUse]);
      last = index;
    });
    return runs;
  }
}

/** Makes an empty curve, of which the text alternative is the image's label. */
function curve() {
  const shape = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const viewBox = `0 0 ${SECONDS - 1} ${HEIGHT}`;
  const image = shape("svg", { class: "curve", role: "img", viewBox, preserveAspectRatio: "none" });
  image.append(shape("path", { class: "area" }), shape("path", { class: "line" }));
  return image;
}

/** Draws the last minute of an instance, from none to all of its vCPUs. */
function drawCurve(image, instance) {
  const { minute, peak } = instance;
  const runs = minute.runs();
  const top = instance.facts.vcpus ?? Math.max(peak ?? 0, 1);
  const y = (inUse) => (HEIGHT * (1 - Math.min(inUse / top, 1))).toFixed(2);
  const line = (run) => run.map(([x, inUse]) => `${x} ${y(inUse)}`).join("L");
  const [area, stroke] = image.children;
  // A second alone is a dot, by the round end of a line without length.
  stroke.setAttribute("d", runs.map((run) => `M${line(run)}${run.length === 1 ? "h0" : ""}`).join(""));
  const closed = (run) => `M${run[0][0]} ${HEIGHT}L${line(run)}L${run.at(-1)[0]} ${HEIGHT}Z`;
  area.setAttribute("d", runs.map(closed).join(""));
  image.setAttribute("aria-label", curveText(instance));
}

function curveText({ minute, peak, facts }) {
  const least = minute.least;
  if (least === null) return "last minute not known";
  const highest = peak ?? Math.max(...minute.slots.filter((inUse) => inUse !== null));
  const of = facts.vcpus === null ? "" : ` of ${facts.vcpus}`;
  return `between ${cores(least)} and ${cores(highest)}${of} in the last minute`;
}

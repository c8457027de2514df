// What is wrong, since when and why. Numbers are dimmed as long as something is.

/**
 * Says what is wrong with the stream or with libvirt, and returns whether anything is. The stream
 * comes first, for it brings the rest.
 */
function drawBanner(stream, pulse) {
  const text = stream.isLost ? lostText(stream) : libvirtText(pulse?.libvirt);
  for (const banner of document.querySelectorAll("p.banner[role=alert]")) write(banner, text);
  return text !== "";
}

function lostText({ heardAt, isFull }) {
  if (isFull) return "The exporter has as many pages open as it serves at once; this one waits for a place.";
  return `The exporter does not answer since ${clock(heardAt)}. What is shown is what it said last.`;
}

function libvirtText(libvirt) {
  if (libvirt === undefined || libvirt.state === "up") return "";
  const since = clock(libvirt.since);
  const shown = "What is shown is what was known last.";
  switch (libvirt.state) {
    case "silent":
      return `libvirt does not answer since ${since}. ${shown}`;
    case "down":
      return `libvirt is down since ${since}: ${libvirt.error ?? "it did not say why"}. ${shown}`;
    default:
      return `libvirt is being connected to since ${since}. ${shown}`;
  }
}

/** Says in the name of the browser's tab where to look. */
function drawTitle(host, instances, isOutage) {
  const stuck = instances.filter((instance) => instance.isStuck).length;
  const trouble = isOutage ? "(!) " : stuck > 0 ? `(${stuck} stuck) ` : "";
  const title = `${trouble}${host?.name ?? location.hostname} · libvirt_nova`;
  if (document.title !== title) document.title = title;
}

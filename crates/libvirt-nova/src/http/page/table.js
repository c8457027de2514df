// The table of instances: which are shown, in which order, and who is drawn.

/** So long after the pointer moved over the rows somebody may be about to press. */
const AIMING_MS = 1000;
/** From so many on, rows that are far away are laid out as their names alone. */
const CROWD = 200;

class Table {
  /** `choice` is how it is sorted and filtered; `open` shows an instance in full. */
  constructor(choice, open) {
    this.choice = choice;
    this.body = byId("instances");
    this.host = { is_listed: false, is_filtered: false };
    this.instances = [];
    this.rows = new Map();
    this.near = new Set();
    this.isPressed = false;
    this.aimedAt = -Infinity;
    this.titles = COLUMNS.map((column) => this.title(column));
    byId("titles").append(...this.titles);
    this.observer = new IntersectionObserver((entries) => this.see(entries), { rootMargin: "50%" });
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      // Who selects text ends with a click, too.
      const isMeant = event.target.closest("button") !== null || getSelection().isCollapsed;
      if (row !== null && isMeant) open(row.dataset.key);
    });
    this.body.addEventListener("pointerdown", () => (this.isPressed = true));
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (this.isPressed = false));
    this.body.addEventListener("pointermove", () => (this.aimedAt = performance.now()));
    addEventListener("beforeprint", () => this.rows.forEach((row) => row.draw()));
  }

  title(column) {
    const button = element("button", { type: "button" }, column.title);
    if (column.hint !== undefined) button.title = column.hint;
    button.addEventListener("click", () => {
      this.choice.sortBy(column);
      this.arrange({ isAsked: true });
    });
    const attributes = { scope: "col", role: "columnheader", class: className(column) };
    return element("th", attributes, button);
  }

  /** Takes over a board's instances. */
  learn(host, instances) {
    this.host = host;
    this.instances = instances;
    const byName = [...instances].sort((one, other) => ORDER.compare(one.name, other.name));
    byName.forEach((instance, rank) => (instance.rank = rank));
    const gone = new Set(this.rows.keys());
    for (const instance of instances) {
      gone.delete(instance.uuid);
      if (!this.rows.has(instance.uuid)) this.add(instance);
    }
    for (const uuid of gone) this.remove(uuid);
    this.body.classList.toggle("crowd", instances.length >= CROWD);
  }

  add(instance) {
    const row = new Row(instance);
    this.rows.set(instance.uuid, row);
    this.observer.observe(row.element);
  }

  remove(uuid) {
    const { element: gone } = this.rows.get(uuid);
    this.observer.unobserve(gone);
    this.near.delete(gone);
    this.rows.delete(uuid);
    if (gone.contains(document.activeElement)) {
      const other = gone.nextElementSibling ?? gone.previousElementSibling;
      (other ?? document).querySelector("button")?.focus({ preventScroll: true });
    }
    gone.remove();
  }

  /** Draws what moved, of the rows that may be seen. */
  renew() {
    this.arrange();
    for (const row of this.near) this.rows.get(row.dataset.key).draw();
  }

  /** Whether a row that moved would slip away from whoever is at it. */
  get isHeld() {
    return (
      this.isPressed ||
      performance.now() - this.aimedAt < AIMING_MS ||
      this.body.contains(document.activeElement) ||
      document.querySelector("dialog[open]") !== null
    );
  }

  /** Shows those that the filter lets through, in their order; who asked for it wants it at once. */
  arrange({ isAsked } = { isAsked: false }) {
    const words = this.choice.words;
    const sorted = this.choice.sorted(this.instances);
    const shown = new Set(sorted.filter((instance) => instance.matches(words)));
    for (const instance of sorted) {
      const { element: row } = this.rows.get(instance.uuid);
      if (row.hidden === shown.has(instance)) row.hidden = !row.hidden;
    }
    const elements = sorted.map((instance) => this.rows.get(instance.uuid).element);
    const isHeld = !isAsked && this.isHeld;
    place(this.body, isHeld ? this.held(elements) : elements);
    this.describe(
      shown.size,
      elements.some((row, index) => row !== this.body.children[index]),
    );
  }

  /** The order that rows have now, with the new ones behind. */
  held(elements) {
    return [...this.body.children, ...elements.filter((row) => !row.isConnected)];
  }

  describe(shown, isLate) {
    const total = this.instances.length;
    const { sort, isDescending } = this.choice;
    COLUMNS.forEach(({ key }, index) => {
      const direction = isDescending ? "descending" : "ascending";
      this.titles[index].setAttribute("aria-sort", key === sort ? direction : "none");
    });
    write(
      byId("count"),
      (shown === total ? plural(total, "instance") : `${shown} of ${plural(total, "instance")}`) +
        (this.host.is_filtered ? "; others are not served" : ""),
    );
    write(byId("held"), isLate ? "order held while you are at a row" : "");
    write(byId("none"), shown === 0 ? this.nobody(total) : "");
  }

  /** What is to be said where no row is shown. */
  nobody(total) {
    if (!this.host.is_listed) return "libvirt has not said yet which instances there are.";
    if (total > 0) return "No instance matches the filter.";
    return this.host.is_filtered ? "No instance runs that this exporter serves." : "No instance runs on this host.";
  }

  see(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.rows.get(target.dataset.key);
      if (row === undefined) continue;
      target.classList.toggle("far", !isIntersecting);
      if (isIntersecting) {
        this.near.add(target);
        row.draw();
      } else {
        this.near.delete(target);
      }
    }
  }
}

/** A row, which is an instance's as long as there is one. */
class Row {
  constructor(instance) {
    this.instance = instance;
    this.cells = COLUMNS.map((column, index) => {
      const attributes = { role: index === 0 ? "rowheader" : "cell", class: className(column) };
      const cell = element(
        index === 0 ? "th" : "td",
        index === 0 ? { ...attributes, scope: "row" } : attributes,
      );
      column.make(cell);
      return cell;
    });
    this.element = element("tr", { role: "row", class: "far" }, ...this.cells);
    this.element.dataset.key = instance.uuid;
    this.draw();
  }

  draw() {
    COLUMNS.forEach((column, index) => column.draw(this.cells[index], this.instance));
    if (this.element.classList.contains("stuck-row") !== this.instance.isStuck) {
      this.element.classList.toggle("stuck-row");
    }
  }
}

function className({ key, isText, isSurveyed }) {
  return [`is-${key.replaceAll("_", "-")}`, isText ? "text" : "number", isSurveyed ? "surveyed" : ""]
    .join(" ")
    .trim();
}

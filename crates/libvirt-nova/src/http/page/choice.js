// How the table is sorted and filtered. It is in the page's address, so that it survives a reload
// and can be sent to somebody.

class Choice {
  constructor() {
    this.read();
  }

  read() {
    const said = new URLSearchParams(location.hash.slice(1));
    const sort = said.get("sort") ?? "name";
    this.isDescending = sort.startsWith("-");
    const key = this.isDescending ? sort.slice(1) : sort;
    this.sort = COLUMNS.some((column) => column.key === key) ? key : "name";
    this.filter = said.get("filter") ?? "";
  }

  keep() {
    const said = new URLSearchParams();
    const sort = (this.isDescending ? "-" : "") + this.sort;
    if (sort !== "name") said.set("sort", sort);
    if (this.filter !== "") said.set("filter", this.filter);
    // Each letter of a filter is no step to go back to.
    history.replaceState(null, "", `${location.pathname}${location.search}#${said}`);
  }

  get column() {
    return COLUMNS.find((column) => column.key === this.sort);
  }

  get words() {
    return this.filter
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
  }

  /** Sorts by a column, names from A and numbers from the highest; the other way if it was so. */
  sortBy(column) {
    this.isDescending = column.key === this.sort ? !this.isDescending : column.isText !== true;
    this.sort = column.key;
    this.keep();
  }

  filterBy(text) {
    this.filter = text;
    this.keep();
  }

  /** Those of which nothing is known come last, either way; equals are in the order of names. */
  sorted(instances) {
    const { order } = this.column;
    const sign = this.isDescending ? -1 : 1;
    const compare = (one, other) => (typeof one === "string" ? ORDER.compare(one, other) : one - other);
    const keyed = instances.map((instance) => ({ instance, key: order(instance) }));
    keyed.sort((one, other) => {
      const missing = (one.key === null) - (other.key === null);
      const sides = missing !== 0 || one.key === null ? missing : sign * compare(one.key, other.key);
      return sides || one.instance.rank - other.instance.rank;
    });
    return keyed.map(({ instance }) => instance);
  }
}

/** As people sort: web-2 before web-10, capital letters beside small ones. */
const ORDER = new Intl.Collator("en", { numeric: true });

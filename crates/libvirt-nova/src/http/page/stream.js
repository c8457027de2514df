// The exporter's events, and whether they come.

/** A board or a pulse comes each second; after so long, none will. */
const SILENCE_MS = 5000;
/** Pauses between two attempts are between these, so that many pages do not come at once. */
const PAUSE_MS = { least: 1000, most: 5000 };

class Stream {
  /** `onBoard` and `onPulse` take what came, `onChange` is told when the stream is lost or back. */
  constructor(address, { onBoard, onPulse, onChange }) {
    Object.assign(this, { address, onBoard, onPulse, onChange });
    this.source = null;
    this.timer = null;
    /** When something came last, or was first waited for; in seconds since the epoch. */
    this.heardAt = Date.now() / 1000;
    this.isLost = false;
    /** Whether the exporter answers, and has no place for another page. */
    this.isFull = false;
    /** Whether the page was hidden, and nothing has come since. */
    this.isAwaited = false;
    // A browser opens a few connections to one server: pages that nobody sees would leave none.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.resume()));
    if (!document.hidden) this.open();
  }

  /** Nobody asked the exporter for anything while the page was hidden. */
  resume() {
    this.heardAt = Date.now() / 1000;
    [this.isLost, this.isAwaited] = [false, true];
    this.onChange();
    this.open();
  }

  open() {
    this.close();
    this.source = new EventSource(this.address);
    this.source.addEventListener("board", (event) => this.hear(event, this.onBoard));
    this.source.addEventListener("pulse", (event) => this.hear(event, this.onPulse));
    // It would try again by itself, but not after an answer that is none of ours, as a proxy's.
    this.source.addEventListener("error", () => this.lose());
    this.timer = setTimeout(() => this.lose(), SILENCE_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  hear(event, take) {
    // What cannot be taken over is as good as nothing.
    take(JSON.parse(event.data));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lose(), SILENCE_MS);
    this.heardAt = Date.now() / 1000;
    if (!this.isLost && !this.isAwaited) return;
    [this.isLost, this.isFull, this.isAwaited] = [false, false, false];
    this.onChange();
  }

  lose() {
    this.close();
    const pause = PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least);
    this.timer = setTimeout(() => this.open(), pause);
    this.isLost = true;
    this.onChange();
    this.ask();
  }

  /** Why there is no stream an event source does not tell. */
  async ask() {
    const answer = await fetch(this.address, { method: "HEAD" }).catch(() => null);
    this.isFull = this.isLost && answer?.status === 503;
    this.onChange();
  }
}

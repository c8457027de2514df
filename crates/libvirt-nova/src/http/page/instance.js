// An instance: what boards and pulses say of it.

/** From this age on what a survey found is old, and from that one on it is forgotten; in seconds. */
const SURVEY_OLD = 120;
const SURVEY_GONE = 300;

class Instance {
  constructor(uuid) {
    this.uuid = uuid;
    this.facts = null;
    this.minute = null;
    this.inUse = null;
    this.peak = null;
    this.stuckFor = null;
    this.isForgotten = false;
    /** Its place among all by name. */
    this.rank = 0;
  }

  /** Takes over a board's row, and what was used until `at`. */
  learn(facts, recent, at) {
    this.facts = facts;
    this.minute = new Minute(recent, at);
    const words = [facts.name, facts.project, facts.flavor, facts.state, facts.domain, facts.uuid];
    this.words = words.join("\n").toLowerCase();
  }

  /** Takes over what a pulse says of the instance at `place`. */
  feel(pulse, place) {
    this.inUse = pulse.in_use[place] ?? null;
    this.peak = pulse.peak[place] ?? null;
    this.stuckFor = null;
    this.isForgotten = pulse.surveyed === null || pulse.surveyed > SURVEY_GONE;
    // What no poll has renewed is no observation of this second.
    const isNew = pulse.polled !== null && pulse.polled < 1;
    this.minute.note(pulse.at, isNew ? this.inUse : null);
  }

  /** Of one that does not run any more nothing is known but what it was. */
  end() {
    [this.inUse, this.peak, this.stuckFor] = [null, null, null];
    this.isForgotten = true;
  }

  /** What the last survey said, unless that is too long ago. */
  surveyed(field) {
    return this.isForgotten ? null : this.facts[field];
  }

  /** Nova's name, else libvirt's. */
  get name() {
    return this.facts.name ?? this.facts.domain;
  }

  /** What is to be said of where the name is from; empty where it is Nova's. */
  get origin() {
    if (this.facts.is_nova === null) return "not known yet whether Nova's";
    return this.facts.is_nova ? "" : "not Nova's";
  }

  get isStuck() {
    return this.stuckFor !== null;
  }

  /** Whether every word is somewhere in what it is called. */
  matches(words) {
    return words.every((word) => this.words.includes(word) || (this.isStuck && "stuck".includes(word)));
  }
}

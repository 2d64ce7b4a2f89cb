// What the server tells, and how old it is. One stream of changes; it comes back by itself.

const SILENT_MS = 8000; // the server tells something each second, whatever stands still behind it
const AGAIN_MS = 2000;
const MOST_AGAIN_MS = 10_000; // a map that is full asks for that

/**
 * Calls `onChange(state)` with each event: {levels: Map id -> players, total, asOf, version}. `age()` says how old the
 * counts are now, in seconds (null: not known); `lostFor()` for how long nothing was heard, in seconds.
 */
export class Live {
  constructor(onChange) {
    this.onChange = onChange;
    this.levels = new Map();
    this.heardAt = performance.now();
    this.hasCounts = false;
    this.againMs = AGAIN_MS;
  }

  begin() {
    this.#open();
    setInterval(() => this.#watch(), 1000);
  }

  age() {
    return this.lag === null || this.lag === undefined ? null : this.lag + this.lostFor();
  }

  lostFor() {
    return (performance.now() - this.heardAt) / 1000;
  }

  #open() {
    this.source?.close();
    this.triedAt = performance.now();
    this.source = new EventSource("api/stream");
    this.source.addEventListener("levels", (event) => this.#take(JSON.parse(event.data), true));
    this.source.addEventListener("changes", (event) => this.#take(JSON.parse(event.data), false));
  }

  /** A stream that ended for good, or that says nothing although it is open, is opened anew. */
  #watch() {
    const isOver = this.source.readyState === EventSource.CLOSED && performance.now() - this.triedAt > this.againMs;
    const isMute = performance.now() - Math.max(this.heardAt, this.triedAt) > SILENT_MS;
    if (isOver) this.againMs = Math.min(2 * this.againMs, MOST_AGAIN_MS);
    if (isOver || isMute) this.#open();
  }

  #take(told, isAll) {
    if (isAll) this.levels.clear();
    for (const { id, players } of told.levels) {
      if (players === 0) this.levels.delete(id);
      else this.levels.set(id, players);
    }
    this.heardAt = performance.now();
    this.againMs = AGAIN_MS;
    this.lag = told.lagSeconds;
    this.hasCounts = true;
    this.onChange({ levels: this.levels, total: told.total, asOf: told.asOf, version: told.version });
  }
}

/** What a path of the API says; null where it says nothing now. */
export async function ask(path) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * The dashboard's events as they come. The browser reconnects by itself and tells the last id that it has; what it
 * gives up on (the room is full, say) is tried again here, more and more seldom.
 * @module
 */

const NAMES = ["workshop", "picture", "frame", "covered"];
/** The server's last word: it ends, and not the connection. */
const OVER = "over";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;

export class Stream {
  /**
   * @param {{event: (name: string, id: number, data: object) => void, connected: () => void,
   *          lost: (sinceMs: number, why: string, over: boolean) => void, now?: () => number}} told
   */
  constructor(told) {
    this.#told = told;
    this.#open();
    setInterval(() => this.#count(), 1000);
  }

  #told;
  #source = null;
  #lostAt = null;
  #over = false;
  #why = "";
  #waitMs = FIRST_WAIT_MS;
  #again = null;

  #open() {
    const source = new EventSource("/events");
    this.#source = source;
    source.addEventListener("open", () => this.#opened());
    source.addEventListener("error", () => this.#failed(source));
    source.addEventListener(OVER, () => {
      this.#over = true;
      this.#lostAt ??= Date.now();
      this.#count();
    });
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        this.#told.event(name, Number(event.lastEventId), JSON.parse(event.data));
      });
    }
  }

  #opened() {
    this.#lostAt = null;
    this.#over = false;
    this.#why = "";
    this.#waitMs = FIRST_WAIT_MS;
    this.#told.connected();
  }

  #failed(source) {
    if (source !== this.#source) return;
    this.#lostAt ??= Date.now();
    this.#count();
    if (source.readyState !== EventSource.CLOSED) return;
    this.#askWhy();
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
  }

  /** An event source does not tell why it was turned away: asks once more, as anybody would. */
  async #askWhy() {
    const leave = new AbortController();
    try {
      const answer = await fetch("/events", {
        signal: leave.signal,
        headers: { Accept: "text/event-stream, application/json" },
      });
      if (!answer.ok) {
        const said = await answer.json();
        this.#why = [said.error, said.why].filter(Boolean).join(": ");
      }
    } catch {
      this.#why = "";
    } finally {
      leave.abort();
      this.#count();
    }
  }

  #count() {
    if (this.#lostAt !== null) this.#told.lost(Date.now() - this.#lostAt, this.#why, this.#over);
  }
}

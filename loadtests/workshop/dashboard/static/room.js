/**
 * Questions to the dashboard's server, and what it refuses.
 * @module
 */

const NOT_REACHED = 0;
const MOST_ASKED = 4;
const PAUSE_MS = 500;

/** What the server does not do, in its own words: what, why, and what to do next. */
export class Refusal extends Error {
  constructor(status, { error = "", why = "", next = "" }) {
    super(error || `the dashboard answered ${status}`);
    this.status = status;
    this.why = why;
    this.next = next;
  }

  get sentence() {
    return [this.message, this.why, this.next && `Next: ${this.next}`].filter(Boolean).map(ended).join(" ");
  }
}

/** The JSON behind that path, asked for again where the connection broke; raises `Refusal`. */
export async function ask(path) {
  for (let asked = 1; ; asked++) {
    try {
      return await answered(fetch(path, { headers: { Accept: "application/json" } }));
    } catch (refusal) {
      if (refusal.status !== NOT_REACHED || asked === MOST_ASKED) throw refusal;
      await new Promise((go) => setTimeout(go, asked * PAUSE_MS));
    }
  }
}

/** Sends JSON there; raises `Refusal`. */
export function tell(path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return answered(fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** Gives a command to the harness; one that it refuses is a `Refusal`, too. */
export async function command(what) {
  const reply = await tell("/api/commands", what);
  if (reply && reply.ok === false) throw new Refusal(200, { error: reply.why, next: reply.next_step });
  return reply;
}

async function answered(asked) {
  let answer;
  let text;
  try {
    answer = await asked;
    text = await answer.text();
  } catch {
    throw new Refusal(NOT_REACHED, {
      error: "the dashboard cannot be reached",
      next: "wait for the connection, then try again",
    });
  }
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    said = { error: `the dashboard answered ${answer.status}` };
  }
  if (!answer.ok) throw new Refusal(answer.status, said ?? {});
  return said;
}

function ended(sentence) {
  const text = sentence.trim();
  const named = /^\w*\d/.test(text); // a node: its name is not written with a capital
  const capital = named ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}

/**
 * The dashboard: events come in, a picture is drawn. This module only ties the others together.
 * @module
 */

import { Charts } from "./charts.js";
import { boxesBelow, Column, onTheirWay } from "./column.js";
import { Controls } from "./controls.js";
import { Cover } from "./cover.js";
import { the, write } from "./elements.js";
import { wholePicture } from "./frames.js";
import { Help } from "./help.js";
import { Join } from "./join.js";
import { listenToKeys } from "./keys.js";
import { Lesson } from "./lesson.js";
import { LossList } from "./loss_list.js";
import { News } from "./news.js";
import { Numbers } from "./numbers.js";
import { Playback } from "./playback.js";
import { Player } from "./player.js";
import { offerProjector } from "./projector.js";
import { Recording } from "./recording.js";
import { ask, Refusal } from "./room.js";
import { Roster } from "./roster.js";
import { SeriesOf } from "./series.js";
import { Stream } from "./stream.js";
import { TimeLine } from "./timeline.js";
import { Top } from "./top.js";
import { Visit } from "./visit.js";
import { Witness } from "./witness.js";
import { clock, LIVE, noStore, PHASES, SIDES, spoken, titled } from "./words.js";

const COUNT_EVERY_MS = 4000;
const AGAIN_MS = 2000;

let workshop = null;
let me = { instructor: false, who: "", user: "", password: "", doors: {}, committed: false, round: 0, room: null };
let recording = new Recording(0);
let series = new SeriesOf(recording);
let turnOfMe = 0;
let due = false;

const player = new Player(recording, drawSoon);
const help = new Help(the("help"));
const witness = new Witness(the("witness"));
const news = new News(the("announcements"));
const cover = new Cover();
const visit = new Visit();
const join = new Join();
const roster = new Roster();
const controls = new Controls();
const lesson = new Lesson(committed);
const playback = new Playback(player);
const sought = (ms) => player.seek(ms);
const timeline = new TimeLine(the("timeline"), the("fault-rows"), sought);
const charts = new Charts(the("charts"), sought);
const sides = Object.fromEntries(SIDES.map((name) => [name, sideOf(name)]));
const pageTop = new Top();
const turnProjector = offerProjector(drawSoon);

function sideOf(name) {
  const pressed = (shopper) => witness.ofShopper(name, shopper, player.picture[name].losses, sideNamed(name));
  const opened = (loss) => witness.ofLoss(name, loss, player.picture[name].losses, sideNamed(name));
  return {
    column: new Column(the(`${name}-picture`), name, pressed),
    numbers: new Numbers(the(`${name}-numbers`), (means) => help.show(means)),
    losses: new LossList(the(`${name}-losses`), opened),
  };
}

function sideNamed(name) {
  return (
    workshop?.round.sides.find((side) => side.side === name) ?? {
      side: name,
      architecture: "",
      stateful: name === "left",
    }
  );
}

/** What is now, whatever moment is looked at: faults strike the present. */
function present() {
  return recording.pictureAt(recording.length);
}

/** What may be known of a side now. */
function seenNow(name) {
  const { nodes = [], stateful } = sideNamed(name);
  const now = cover.covers ? { nodes: [], guests: [] } : present()[name];
  const up = () => nodes.map((node) => ({ name: node, state: "up" }));
  return { nodes: now.nodes.length ? now.nodes : up(), guests: now.guests.filter((guest) => guest.node), stateful };
}

/** At most once for each picture that the screen shows. */
function drawSoon() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
    if (workshop !== null) pageTop.keep(workshop.round, LIVE.has(workshop.round.phase) && !cover.covers);
  });
}

function draw() {
  if (workshop === null) return;
  const { round } = workshop;
  player.goesLive = LIVE.has(round.phase);
  const picture = player.picture;
  drawHead(round, picture);
  cover.draw(workshop, me);
  join.draw(workshop, me);
  roster.know(workshop.participants ?? []);
  visit.draw(workshop, me);
  visit.tell(picture);
  the("controls").hidden = !me.instructor;
  if (!me.instructor) the("breaking").hidden = true;
  else controls.draw(workshop, Object.fromEntries(SIDES.map((name) => [name, seenNow(name)])), me.user, cover.covers);
  if (cover.covers) return;
  for (const name of SIDES) drawSide(name, picture);
  roster.draw(picture, me.user);
  playback.draw(LIVE.has(round.phase));
  drawTime(picture);
}

function drawHead(round, picture) {
  document.body.dataset.phase = round.phase;
  stand(LIVE.has(round.phase) && !cover.covers);
  write(the("round-title"), round.episode ? titled(round.episode) : "Free play");
  write(the("phase"), PHASES[round.phase]);
  const joined = workshop.participants?.length ?? 0;
  the("joined").hidden = !me.room || joined === 0 || Boolean(round.episode);
  write(the("joined"), `${joined} in the room`);
  the("not-live").hidden = cover.covers || player.mode === "live";
  write(the("not-live"), player.mode === "replay" ? `replay, ${player.speed}×` : "standing still");
  write(
    the("clock"),
    !cover.covers && (LIVE.has(round.phase) || round.phase === "explain") ? clock(picture.at_ms) : "",
  );
  document.title = `${PHASES[round.phase]} · Twinshop workshop`;
  the("why-failed").hidden = round.phase !== "failed";
  write(the("why-failed"), round.why);
}

/** While people shop, the shops stand first, with the faults; before and after that, the lesson does. */
function stand(shopsFirst) {
  const main = the("columns").parentElement;
  if (main.dataset.first === String(shopsFirst)) return;
  main.dataset.first = String(shopsFirst);
  const order = shopsFirst
    ? ["visit", "breaking", "columns", "controls", "room", "lesson"]
    : ["controls", "breaking", "lesson", "visit", "columns", "room"];
  const here = document.activeElement;
  the("time").before(...order.map(the));
  here?.focus({ preventScroll: true }); // what is moved loses it
}

function drawSide(name, picture) {
  const [side, view] = [sideNamed(name), picture[name]];
  const section = the(name);
  section.classList.toggle("stateful", side.stateful);
  section.classList.toggle("stateless", !side.stateful);
  write(the(`${name}-name`), side.architecture);
  write(the(`${name}-kind`), side.stateful ? "stateful" : "stateless");
  const mine = visit.seenOn(name, picture);
  sides[name].numbers.draw(view.counts);
  sides[name].column.draw(view, {
    stateful: side.stateful,
    noStore: noStore(side),
    mine: mine?.logged_in ? mine.node : "",
    user: me.user,
    named: roster.named(picture),
    nodes: Math.max(picture.left.nodes.length, picture.right.nodes.length),
    shoppers: Math.max(workshop.round.shoppers, picture.left.shoppers.length, picture.right.shoppers.length),
    below: Math.max(boxesBelow(picture.left), boxesBelow(picture.right)),
    waiting: SIDES.some((each) => onTheirWay(picture[each]).length > 0),
    atMs: picture.at_ms,
    faultWord: spoken,
  });
  sides[name].losses.draw(view.losses);
}

function drawTime(picture) {
  const names = { left: sideNamed("left").architecture, right: sideNamed("right").architecture };
  const endMs = Math.max(recording.endMs, picture.at_ms);
  timeline.draw(present(), { atMs: player.atMs, endMs, names, standing: player.mode !== "live" });
  charts.draw(series.upTo(player.place), {
    names,
    stateful: { left: sideNamed("left").stateful, right: sideNamed("right").stateful },
    marks: [...picture.left.marks, ...picture.right.marks],
    endMs,
  });
}

function begin(picture, id) {
  if (picture.round !== recording.round) {
    recording = new Recording(picture.round);
    series = new SeriesOf(recording);
    player.follow(recording);
  }
  if (!recording.complete) recording.restart(picture, id);
  fetchFrames(recording);
}

/** What was before this page was opened, for pause, step and replay. */
async function fetchFrames(into) {
  try {
    const frames = await ask("/api/frames");
    if (into === recording) into.adopt(frames);
    drawSoon();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
}

/** An answer that a later question has overtaken tells of a phase that is over; one that never came is asked for again. */
async function fetchMe() {
  const turn = ++turnOfMe;
  try {
    const answer = await ask("/api/me");
    if (turn !== turnOfMe) return;
    me = answer;
    await lesson.draw(workshop, me);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (turn === turnOfMe) setTimeout(fetchMe, AGAIN_MS);
  }
  drawSoon();
}

function committed() {
  fetchMe().then(() => {
    count();
    // Whoever teaches goes on to the button that lets people shop; it stands above.
    the(me.instructor ? "controls-title" : "columns-title").focus();
    if (me.instructor) window.scrollTo({ top: 0, behavior: "instant" });
    else if (cover.covers) the("cover").scrollIntoView({ block: "center" }); // it says that it was committed
  });
}

const on = {
  workshop(data) {
    const before = workshop;
    workshop = data;
    news.ofWorkshop(before, workshop);
    if (before?.version !== workshop.version) fetchMe().then(count); // else somebody has joined
  },
  picture(data, id) {
    cover.lift();
    begin(wholePicture(data), id);
    news.begin(data);
  },
  frame(data, id) {
    cover.lift();
    if (recording.add(id, data)) news.ofFrame(data, player.mode === "live" ? present() : null);
  },
  covered() {
    cover.lay();
  },
};

const stream = new Stream({
  event(name, id, data) {
    on[name](data, id);
    drawSoon();
  },
  connected() {
    the("connection").hidden = true;
  },
  lost(ms, why, over) {
    the("connection").hidden = false;
    write(the("connection-text"), over ? "The workshop is over" : `Connection lost, ${Math.floor(ms / 1000)} s`);
    write(the("connection-why"), over ? "The shops are closed, too. What this page shows, it keeps until you leave it." : why);
  },
});

/** How many have committed: the instructor waits for it. */
async function count() {
  if (workshop?.round.phase !== "predict" || document.hidden || !(me.instructor || me.committed)) return;
  try {
    await lesson.count(workshop, me);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
}
setInterval(count, COUNT_EVERY_MS);

listenToKeys({
  " ": () => playback.pauseOrGoOn(),
  ArrowLeft: () => player.step(-1),
  ArrowRight: () => player.step(1),
  l: () => player.live(),
  r: () => player.replay(),
  p: turnProjector,
  j: () => join.show(),
  b: () => document.querySelector("#fault-buttons button")?.focus(),
  "?": () => help.show(),
});
new ResizeObserver(drawSoon).observe(the("columns"));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawSoon);

// The map as SVG: levels are islands, moves of the last minutes the ways between them.

import { SHORE, arrange, fit, frame, label, radii } from "./layout.js";
import { players as told } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_WAYS = 48;
const SETTLE_MS = 260; // in which two thirds of a move are made
const RIPPLE = [{ opacity: 0.9, transform: "scale(1)" }, { opacity: 0, transform: "scale(1.45)" }];
const RIPPLE_MS = 1100;
const MOST_KNOWN = 2000; // places of levels that are empty now
// The map is laid out anew with so many times as many levels, or moves known: seldom, and less and less.
const [GROWN, LEARNT] = [1.5, 4];
const STILL = 0.05; // pixels
const HOT = 0.36; // the share from which on the numbers' colour is the other one
const FEW = 1; // players that a level is drawn with whose number is hidden

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function element(name, attributes = {}, parent = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

/** Draws into `svg`; `onChoose(id)` is called for a level that is clicked, with null for the sea. */
export class Stage {
  constructor(svg, onChoose) {
    this.svg = svg;
    this.ways = element("g", {}, svg);
    this.land = element("g", {}, svg);
    this.places = new Map(); // id -> what is drawn
    this.known = new Map(); // id -> where it lies in the plane
    this.moves = [];
    this.longer = []; // the moves that say what lies where
    this.learnt = 0; // how many those were when the map was laid out
    this.goals = new Map(); // id -> where it lies on the stage
    this.arranged = 0; // levels that the map was laid out for
    this.shown = ""; // the counts that are drawn
    this.fixed = {};
    this.names = new Map();
    this.levels = [];
    this.chosen = null;
    this.ink = document.createElement("canvas").getContext("2d");
    this.frame = null;
    svg.addEventListener("click", (event) => onChoose(event.target.closest(".place")?.dataset.level ?? null));
    new ResizeObserver(() => this.#lay(true)).observe(svg);
  }

  /** The levels with players, fullest first: [{id, players}], players null where few. */
  show(levels) {
    const shown = JSON.stringify(levels);
    if (shown === this.shown) return;
    this.shown = shown;
    this.levels = levels;
    const ids = new Set(levels.map(({ id }) => id));
    for (const [id, place] of this.places) if (!ids.has(id)) this.#remove(id, place);
    for (const { id, players } of levels) this.#count(id, players);
    // Where there is no room the small ones lie on the large ones.
    for (const [n, { id }] of levels.entries()) {
      const { group } = this.places.get(id);
      if (this.land.children[n] !== group) this.land.insertBefore(group, this.land.children[n] ?? null);
    }
    this.#lay(false);
  }

  /** The moves of the last minutes, [{from, to, count}]: those that are drawn, and those that say what lies where. */
  flow(moves, longer) {
    this.moves = moves.filter(({ from, to }) => from !== undefined && to !== undefined).slice(0, MOST_WAYS);
    const made = longer.reduce((sum, { from, to, count }) => sum + (from && to ? count : 0), 0);
    if (made > LEARNT * this.learnt) {
      this.known.clear();
      this.learnt = made;
    }
    this.longer = longer;
    this.#lay(false);
  }

  /** Places of one's own: {id: {x, y, name}}. */
  pin(layout) {
    this.fixed = layout;
    this.names = new Map(Object.entries(layout).flatMap(([id, { name }]) => (name ? [[id, name]] : [])));
    this.#lay(true);
  }

  /** What a level is called. */
  name(id) {
    return this.names.get(id) ?? id;
  }

  /** Let one level stand out, with those that players come from and go to; null: none. */
  choose(id) {
    this.chosen = id;
    this.#light();
  }

  #count(id, players) {
    const place = this.places.get(id) ?? this.#add(id);
    if (place.players !== undefined && place.players !== players && !calm.matches) {
      place.ripple.animate(RIPPLE, RIPPLE_MS);
    }
    place.players = players;
    place.group.dataset.players = players ?? "few";
    place.title.textContent = `${this.name(id)}: ${told(players)}`;
  }

  #add(id) {
    const group = element("g", { class: "place", "data-level": id }, this.land);
    const place = {
      group,
      title: element("title", {}, group),
      shore: element("circle", { class: "shore" }, group),
      ripple: element("circle", { class: "ripple" }, group),
      land: element("circle", { class: "land" }, group),
      count: element("text", { class: "count" }, group),
      name: element("text", { class: "name" }, group),
      now: null,
      goal: null,
    };
    this.places.set(id, place);
    return place;
  }

  #remove(id, place) {
    place.group.remove();
    this.places.delete(id);
  }

  /** Say where everything shall be; it moves there, or is there `atOnce`. */
  #lay(atOnce) {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width < 50 || height < 50) return;
    const ids = this.levels.map(({ id }) => id);
    const counts = new Map(this.levels.map(({ id, players }) => [id, players ?? FEW]));
    if (ids.length > GROWN * this.arranged) this.known.clear();
    const isNew = this.known.size === 0;
    const plane = arrange(ids, this.longer, this.known);
    if (isNew) {
      this.arranged = ids.length;
      this.framed = frame(plane, this.fixed);
    }
    for (const [id, place] of plane) this.known.set(id, place);
    if (this.known.size > MOST_KNOWN + ids.length) this.known = plane; // levels that come and go for ever
    const radius = radii(counts, width, height);
    const before = isNew || atOnce ? new Map() : this.goals;
    const goals = fit(plane, radius, width, height, {
      fixed: this.fixed,
      gap: Math.min(16, width / 40),
      before,
      framed: this.framed,
    });
    this.goals = goals;
    const most = Math.max(1, ...counts.values());
    for (const [id, goal] of goals) {
      const place = this.places.get(id);
      place.goal = goal;
      if (place.now === null) place.now = { ...goal, r: calm.matches ? goal.r : 0 };
      if (atOnce || calm.matches) place.now = { ...goal };
      const heat = (counts.get(id) / most) ** 0.7;
      place.group.style.setProperty("--heat", heat.toFixed(3));
      place.group.classList.toggle("hot", heat > HOT);
    }
    this.#write(goals, width, height);
    this.#drawWays();
    this.#run();
  }

  /** Names and numbers, those of small levels only where there is room. */
  #write(goals, width, height) {
    const size = rem();
    const family = getComputedStyle(document.body).fontFamily;
    const boxes = this.levels.map(({ id, players }) => {
      const place = this.places.get(id);
      const { x, y, r } = goals.get(id);
      const number = told(players);
      const large = Math.min(2.6 * size, Math.max(0.7 * size, r * 0.62));
      this.ink.font = `650 ${large}px ${family}`;
      const across = this.ink.measureText(number).width;
      const shrunk = Math.min(large, (large * 1.7 * r) / across);
      place.isInside = shrunk > 0.6 * size;
      place.count.textContent = place.isInside ? number : "";
      place.count.style.fontSize = `${shrunk}px`;
      const text = Math.min(1.15 * size, Math.max(0.78 * size, r * 0.34));
      place.name.style.fontSize = `${text}px`;
      place.name.textContent = place.isInside ? this.name(id) : `${this.name(id)} ${number}`;
      this.ink.font = `400 ${text}px ${family}`;
      const font = this.ink.font;
      return { id, x, y, r, font, width: this.ink.measureText(place.name.textContent).width, height: 1.25 * text };
    });
    const spots = label(boxes, width, height);
    for (const { id, r, font, height: h } of boxes) {
      const place = this.places.get(id);
      const spot = spots.get(id) ?? { dx: 0, dy: SHORE * r + 0.7 * h, inside: false };
      if (spot.within) place.name.textContent = this.#cut(place.name.textContent, font, spot.within);
      place.name.setAttribute("x", spot.dx);
      place.name.setAttribute("y", spot.dy);
      place.group.classList.toggle("crowded", !spots.has(id));
      place.group.classList.toggle("roomy", spot.inside);
      place.count.setAttribute("y", spot.inside ? -0.12 * r : 0);
    }
  }

  #cut(text, font, width) {
    this.ink.font = font;
    const letters = [...text];
    while (letters.length > 1 && this.ink.measureText(`${letters.join("")}…`).width > width) letters.pop();
    return `${letters.join("")}…`;
  }

  #drawWays() {
    const drawn = this.moves.filter(({ from, to }) => this.places.has(from) && this.places.has(to));
    const most = Math.max(1, ...drawn.map(({ count }) => count));
    const unit = rem() / 15;
    this.drawn = drawn.map(({ from, to, count }, n) => {
      const old = this.ways.children[n];
      const group = old ?? element("g", {}, this.ways);
      const [way, dots, arrow] = old ? old.children : ["way", "way dots", "arrow"].map((name) => element("path", { class: name }, group));
      const share = Math.sqrt(count / most);
      const wide = unit * (1 + 4 * share);
      group.style.setProperty("--share", share.toFixed(3));
      way.style.strokeWidth = wide;
      dots.style.strokeWidth = unit * (1.6 + 2.4 * share);
      return { from, to, wide, way, dots, arrow };
    });
    while (this.ways.children.length > this.drawn.length) this.ways.lastChild.remove();
    this.#light();
  }

  #light() {
    const isThere = this.chosen !== null && this.places.has(this.chosen);
    this.svg.classList.toggle("dimmed", isThere);
    const near = new Set(isThere ? [this.chosen] : []);
    for (const { from, to, way, dots, arrow } of this.drawn ?? []) {
      const isNear = isThere && (from === this.chosen || to === this.chosen);
      if (isNear) near.add(from).add(to);
      for (const part of [way, dots, arrow]) part.classList.toggle("near", isNear);
    }
    for (const [id, { group }] of this.places) {
      group.classList.toggle("chosen", id === this.chosen);
      group.classList.toggle("near", near.has(id));
    }
  }

  #run() {
    if (this.frame !== null) return;
    let before = performance.now();
    const step = (now) => {
      const part = calm.matches ? 1 : 1 - Math.exp(-Math.max(0, now - before) / SETTLE_MS);
      before = now;
      let moves = false;
      for (const place of this.places.values()) moves = this.#move(place, part) || moves;
      for (const way of this.drawn) this.#bend(way);
      this.frame = moves ? requestAnimationFrame(step) : null;
    };
    this.frame = requestAnimationFrame(step);
  }

  #move(place, part) {
    const { now, goal } = place;
    let moves = false;
    for (const key of ["x", "y", "r"]) {
      const way = goal[key] - now[key];
      now[key] = Math.abs(way) < STILL ? goal[key] : now[key] + part * way;
      moves = moves || now[key] !== goal[key];
    }
    place.group.setAttribute("transform", `translate(${now.x.toFixed(1)} ${now.y.toFixed(1)})`);
    place.shore.setAttribute("r", (SHORE * now.r + 2).toFixed(1));
    place.land.setAttribute("r", now.r.toFixed(1));
    place.ripple.setAttribute("r", now.r.toFixed(1));
    return moves;
  }

  /** From shore to shore, in a curve to the right, so that there and back are two ways. */
  #bend({ from, to, wide, way, dots, arrow }) {
    const a = this.places.get(from)?.now;
    const b = this.places.get(to)?.now;
    if (!a || !b) return;
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const ux = (b.x - a.x) / length;
    const uy = (b.y - a.y) / length;
    const bow = Math.min(60, 0.16 * length);
    const mid = { x: (a.x + b.x) / 2 - uy * bow, y: (a.y + b.y) / 2 + ux * bow };
    const start = shift(a, mid, a.r + 4);
    const end = shift(b, mid, b.r + 6);
    const line = `M${at(start)}Q${at(mid)} ${at(end)}`;
    way.setAttribute("d", line);
    dots.setAttribute("d", line);
    const point = { x: 0.16 * start.x + 0.48 * mid.x + 0.36 * end.x, y: 0.16 * start.y + 0.48 * mid.y + 0.36 * end.y };
    const angle = Math.atan2(0.4 * (mid.y - start.y) + 0.6 * (end.y - mid.y), 0.4 * (mid.x - start.x) + 0.6 * (end.x - mid.x));
    const size = 2.5 + 0.9 * wide;
    arrow.setAttribute("d", `M${size} 0L${-0.7 * size} ${0.7 * size}L${-0.7 * size} ${-0.7 * size}Z`);
    arrow.setAttribute("transform", `translate(${at(point)}) rotate(${((180 / Math.PI) * angle).toFixed(1)})`);
  }
}

/** The page's own unit, in pixels: it grows with the screen. */
function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

function shift(from, towards, distance) {
  const length = Math.hypot(towards.x - from.x, towards.y - from.y) || 1;
  return { x: from.x + ((towards.x - from.x) * distance) / length, y: from.y + ((towards.y - from.y) * distance) / length };
}

function at({ x, y }) {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

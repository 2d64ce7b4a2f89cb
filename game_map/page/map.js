// The page: brings the stream of counts, the map, the list and the panel together.

import { draw } from "./curve.js";
import { Stage } from "./draw.js";
import { Live, ask } from "./live.js";
import { age, noun, players as told, time } from "./words.js";

const LATE_SECONDS = 90; // silent shards are known to be so after 10 to 20, where DynamoDB is an emulator after 60
const LOST_SECONDS = 5;
const FLOWS_MS = 5000;
const HISTORY_MS = 60_000;
const HOUR_MS = 60_000;
const PANEL_MS = 2000;
const PATIENCE_MS = 1500;
const LEAST_MINUTES = 3; // of the last hour: fewer are no curve
const [MINUTES, MINUTES_OF_LAYOUT] = [5, 60];

const $ = (id) => document.getElementById(id);
const rows = new Map(); // level -> its row in the list
let histories = new Map();
let [hour, hourAt] = [null, -Infinity]; // the moves of the last hour, and when they were asked for
let chosen = null;
let cameFrom = null; // what had the focus before the panel opened

const stage = new Stage($("map"), choose);
const live = new Live(show);

/** Fullest first, those of few players last. */
function inOrder(levels) {
  const found = [...levels].map(([id, players]) => ({ id, players }));
  return found.sort((a, b) => (b.players ?? 0) - (a.players ?? 0) || (a.id < b.id ? -1 : 1));
}

/** Players there now; null: few. */
function at(id) {
  return live.levels.has(id) ? live.levels.get(id) : 0;
}

function show({ levels, total }) {
  const sorted = inOrder(levels);
  stage.show(sorted);
  list(sorted);
  $("total").textContent = told(total);
  $("total").dataset.total = total;
  $("total-word").textContent = noun(total);
  document.title = `${told(total)} ${noun(total)} · Headcount`;
  $("empty").hidden = sorted.length > 0;
  $("map").setAttribute("aria-label", `Map of ${sorted.length} levels with ${told(total)} ${noun(total)}; the list has the same counts`);
  if (chosen !== null) count(at(chosen));
  tell();
}

// How old it is.

function tell() {
  const seconds = live.age();
  const lost = live.lostFor();
  const isLost = lost > LOST_SECONDS;
  const isLate = seconds !== null && seconds > LATE_SECONDS;
  document.body.dataset.state = !live.hasCounts ? "waiting" : isLost ? "lost" : isLate ? "late" : "live";
  $("asof-text").textContent = asOf(seconds);
  const words = warning(seconds, lost, isLost, isLate);
  if ($("banner").textContent !== words) $("banner").textContent = words;
  $("banner").hidden = words === "";
  $("banner").classList.toggle("bad", isLost && live.hasCounts);
}

function asOf(seconds) {
  if (!live.hasCounts) return "connecting…";
  if (seconds === null) return "how old is not known yet";
  return `as of ${time(Date.now() - 1000 * seconds)}, ${age(seconds)} ago`;
}

function warning(seconds, lost, isLost, isLate) {
  if (live.hasCounts && seconds === null && !isLost && performance.now() > 1000 * LATE_SECONDS) {
    return "How old these counts are is not known: not all services have said yet how far they have come.";
  }
  if (!live.hasCounts) return lost > LOST_SECONDS ? "No counts yet: the server does not answer, or has not read the tables. Trying again." : "";
  if (isLost) return "The connection is lost; trying again. What you see is what was known last.";
  if (isLate) return `These counts are ${age(seconds)} old: events of the game are not being counted at the moment, or arrive late.`;
  return "";
}

// The list.

function list(sorted) {
  const box = $("levels");
  const wanted = $("search").value.trim().toLowerCase();
  const ids = new Set(sorted.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.item.remove();
    rows.delete(id);
  }
  let matches = 0;
  for (const [n, { id, players }] of sorted.entries()) {
    const row = rows.get(id) ?? makeRow(id);
    const text = told(players);
    if (row.number.textContent !== text) row.number.textContent = text;
    row.button.dataset.players = players ?? "few";
    row.item.hidden = !stage.name(id).toLowerCase().includes(wanted);
    matches += row.item.hidden ? 0 : 1;
    // Whoever is in the list with the keyboard or the pointer is not moved about.
    if (box.children[n] !== row.item && !box.matches(":hover, :focus-within")) box.insertBefore(row.item, box.children[n] ?? null);
  }
  $("none").hidden = matches > 0 || sorted.length === 0;
}

function makeRow(id) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const [label, number] = ["label", "number"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  const curve = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: "curve", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" })) curve.setAttribute(key, value);
  label.textContent = stage.name(id);
  label.title = stage.name(id);
  button.type = "button";
  button.dataset.level = id;
  button.append(label, curve, number);
  button.addEventListener("click", () => choose(id));
  item.append(button);
  $("levels").append(item);
  const row = { item, button, label, number, curve };
  rows.set(id, row);
  if (histories.has(id)) draw(curve, histories.get(id), 100, 24);
  return row;
}

// The panel of one level.

function choose(id) {
  if (id === null || id === chosen) {
    close();
    return;
  }
  if (chosen === null) cameFrom = document.activeElement;
  rows.get(chosen)?.button.removeAttribute("aria-current");
  chosen = id;
  rows.get(id)?.button.setAttribute("aria-current", "true");
  stage.choose(id);
  const address = `#/${encodeURIComponent(id)}`;
  if (location.hash !== address) history[$("panel").hidden ? "pushState" : "replaceState"](null, "", address);
  $("panel-title").textContent = stage.name(id);
  count(at(id));
  moves([], "panel-in", "from");
  moves([], "panel-out", "to");
  curve();
  $("panel").hidden = false;
  $("panel-title").focus({ preventScroll: true });
  refresh();
}

function close() {
  if (chosen === null) return;
  rows.get(chosen)?.button.removeAttribute("aria-current");
  chosen = null;
  stage.choose(null);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  $("panel").hidden = true;
  if (cameFrom?.isConnected) cameFrom.focus({ preventScroll: true });
}

function count(players) {
  $("panel-players").textContent = told(players);
  $("panel-word").textContent = noun(players);
}

function curve() {
  const averages = histories.get(chosen);
  const known = averages?.filter((average) => average !== null) ?? [];
  $("panel-history").hidden = known.length < LEAST_MINUTES;
  if ($("panel-history").hidden) return;
  const most = Math.max(...known);
  const words = `The last hour; at most ${told(Math.round(most))} in a minute's average`;
  draw($("panel-curve"), averages, 300, 80);
  $("panel-curve").setAttribute("aria-label", words);
  $("panel-caption").textContent = words;
}

async function refresh() {
  const id = chosen;
  const found = id === null ? null : await ask(`api/levels/${encodeURIComponent(id)}?minutes=${MINUTES}`);
  if (found === null || id !== chosen) return;
  moves(found.in, "panel-in", "from");
  moves(found.out, "panel-out", "to");
}

function moves(found, box, side) {
  const items = found.slice(0, 8).map((move) => {
    const item = document.createElement("li");
    const [name, number] = [document.createElement("span"), document.createElement("span")];
    name.textContent = move[side] === undefined ? (side === "from" ? "outside the game" : "out of the game") : stage.name(move[side]);
    number.textContent = told(move.count);
    number.className = "number";
    item.append(name, number);
    return item;
  });
  if (items.length === 0) {
    const nobody = document.createElement("li");
    nobody.textContent = "nobody";
    items.push(nobody);
  }
  $(box).replaceChildren(...items);
}

// What comes more slowly.

async function flows() {
  const isDue = performance.now() - hourAt > HOUR_MS;
  const [recent, longer] = await Promise.all([transitions(MINUTES), isDue ? transitions(MINUTES_OF_LAYOUT) : null]);
  if (recent === null) return;
  if (longer !== null) [hour, hourAt] = [longer, performance.now()];
  stage.flow(recent.transitions, hour?.transitions ?? []);
  const sum = (key) => recent.transitions.filter((move) => move[key] === undefined).reduce((total, move) => total + move.count, 0);
  $("traffic").textContent = `${told(sum("from"))} came, ${told(sum("to"))} left in ${MINUTES} minutes`;
}

function transitions(minutes) {
  return ask(`api/transitions?minutes=${minutes}`);
}

async function past() {
  const found = await ask("api/history?minutes=60");
  if (found === null) return;
  histories = new Map(found.levels.map(({ id, averages }) => [id, averages]));
  for (const [id, row] of rows) if (histories.has(id)) draw(row.curve, histories.get(id), 100, 24);
  if (chosen !== null) curve();
}

// The tools.

function theme() {
  const order = ["auto", "light", "dark"];
  const root = document.documentElement;
  const next = order[(order.indexOf(root.dataset.theme ?? "auto") + 1) % order.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  $("theme-toggle").textContent = `Theme: ${next}`;
  try {
    localStorage.setItem("headcount-theme", next);
  } catch {
    // it holds until the page is left
  }
}

$("theme-toggle").textContent = `Theme: ${document.documentElement.dataset.theme ?? "auto"}`;
$("theme-toggle").addEventListener("click", theme);
$("list-toggle").addEventListener("click", () => {
  const isAlone = document.querySelector("main").classList.toggle("alone");
  $("list-toggle").setAttribute("aria-pressed", String(!isAlone));
});
$("search").addEventListener("input", () => list(inOrder(live.levels)));
$("panel-close").addEventListener("click", close);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target !== $("search")) close();
});
for (const moved of ["hashchange", "popstate"]) addEventListener(moved, fromAddress);

function fromAddress() {
  const id = asked();
  if (id === null) close();
  else if (id !== chosen) choose(id);
}

/** The level that the address names: `#/<level>`; null: none. */
function asked() {
  if (!location.hash.startsWith("#/") || location.hash.length < 3) return null;
  try {
    return decodeURIComponent(location.hash.slice(2));
  } catch {
    return null;
  }
}

async function begin() {
  const layout = await ask("api/layout");
  if (layout !== null) stage.pin(layout);
  await Promise.race([flows(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]); // what lies where
  live.begin();
  past();
  for (const [work, pause] of [[flows, FLOWS_MS], [past, HISTORY_MS], [refresh, PANEL_MS]]) setInterval(work, pause);
  setInterval(tell, 1000);
  fromAddress();
}

begin();

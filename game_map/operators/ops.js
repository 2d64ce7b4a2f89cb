"use strict";

const HOUR_SECONDS = 3600;
const EVERY_MS = 5000;
const LATE_SECONDS = 60;
const WIDTH = 600;
const HEIGHT = 160;
const EDGE = 8;

const at = (id) => document.getElementById(id);

function show(id, text) {
  at(id).textContent = text;
}

// null: it is not known, or there were no events.
function figure(value, digits = 3) {
  if (value === null) return "–";
  return value.toLocaleString(undefined, { maximumSignificantDigits: digits });
}

function usd(value) {
  return value === null ? "–" : `$${value.toLocaleString(undefined, { maximumFractionDigits: value < 1 ? 4 : 2 })}`;
}

function times(pair) {
  if (!pair.headcount || !pair.tutorial) return "–";
  const part = pair.tutorial / pair.headcount;
  return part >= 1 ? `${figure(part, 2)} times as cheap` : `${figure(1 / part, 2)} times as dear`;
}

function seconds(value) {
  return value === null ? "not known yet" : figure(value, 2);
}

function rows(id, cells) {
  at(id).replaceChildren(
    ...cells.map((row) => {
      const line = document.createElement("tr");
      line.append(
        ...row.map((text) => {
          const cell = document.createElement("td");
          cell.textContent = text;
          return cell;
        }),
      );
      return line;
    }),
  );
}

function time(epochSeconds) {
  return new Date(epochSeconds * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

function curve(minutes) {
  const known = minutes.filter((minute) => minute.writeUnitsPerEvent !== null);
  if (known.length < 2) return;
  const last = known.at(-1).start;
  const first = last - HOUR_SECONDS;
  const span = HOUR_SECONDS;
  const most = Math.max(...known.map((minute) => minute.writeUnitsPerEvent)) || 1;
  const points = known.map((minute) => {
    const x = ((minute.start - first) / span) * WIDTH;
    const y = HEIGHT - EDGE - (minute.writeUnitsPerEvent / most) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  at("line").setAttribute("points", points.join(" "));
  const told = `from ${figure(known[0].writeUnitsPerEvent)} at ${time(known[0].start)} to ${figure(known.at(-1).writeUnitsPerEvent)} at ${time(known.at(-1).start)}`;
  show("curve-told", `Write units per event: ${told}; ${figure(most)} at most.`);
  show("from", time(first));
  show("most", `${figure(most)} at most`);
  show("to", time(known.at(-1).start));
}

function state(text, late) {
  at("state").classList.toggle("late", late);
  if (at("state").textContent !== text) show("state", text);
}

function tell(ops) {
  show("events", figure(ops.eventsPerSecond));
  show("units", figure(ops.writeUnitsPerEvent.headcount));
  show("units-tutorial", figure(ops.writeUnitsPerEvent.tutorial));
  show("usd", usd(ops.usdPerMillionEvents.headcount));
  show("usd-tutorial", usd(ops.usdPerMillionEvents.tutorial));
  show("times", times(ops.writeUnitsPerEvent));
  show("times-bill", times(ops.wholeBillPerMillionEvents));
  show("bill", usd(ops.wholeBillPerMillionEvents.headcount));
  show("bill-tutorial", usd(ops.wholeBillPerMillionEvents.tutorial));
  show("region", ops.prices.region);
  show("date", ops.prices.date);
  curve(ops.minutes);
  rows(
    "by-service",
    ops.services.map((one) => [
      one.service.replace("_", " "),
      figure(one.writeUnitsPerSecond),
      figure(one.writeUnitsPerEvent),
      usd(one.usdPerMillionEvents),
    ]),
  );
  rows(
    "by-shard",
    ops.shards.map((one) => [one.service.replace("_", " "), one.shard, seconds(one.lagSeconds), figure(one.movedSeconds, 2)]),
  );
  const late = ops.lagSeconds === null || ops.lagSeconds > LATE_SECONDS;
  const since = `Rates of the last ${figure(ops.seconds)} s, measured since ${time(ops.since / 1000)}.`;
  const lag = ops.lagSeconds === null ? "How old the counts are is not known yet." : `The counts are ${figure(ops.lagSeconds, 2)} s old.`;
  state(late ? `${lag} ${since}` : since, late);
}

async function ask() {
  try {
    const answer = await fetch("/api/ops", { cache: "no-store" });
    const told = await answer.json();
    if (answer.ok) tell(told);
    else state(told.error, true);
  } catch {
    state("The map does not answer. What is shown is what it last said.", true);
  }
  setTimeout(ask, EVERY_MS);
}

ask();

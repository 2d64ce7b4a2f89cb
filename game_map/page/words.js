// How numbers and times are told. Pure.

const whole = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Players as they are shown; null: fewer than may be told. */
export function players(count) {
  return count === null ? "few" : whole.format(count);
}

/** "player" or "players". */
export function noun(count) {
  return count === 1 ? "player" : "players";
}

/** A time of the day, of ms since the epoch. */
export function time(ms) {
  return clock.format(new Date(ms));
}

/** How long ago: "3 s", "4 min", "2 h". */
export function age(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

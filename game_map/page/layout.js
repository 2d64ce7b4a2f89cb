// Where levels lie: those between which players move lie near each other. Pure, and the same each time.

const GOLDEN = Math.PI * (3 - Math.sqrt(5));
export const SHORE = 1.16; // of an island's radius
const ROUNDS = 260;
const ROUNDS_MORE = 40; // where some are placed already
const USUAL = 0.2; // of a level's most frequent move
const PUSHES = 120; // at most, until no island lies over another
const PUSHES_MORE = 25; // where most lay well before

/** A number from 0 to 1 for a text, always the same. */
export function dice(text) {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4294967296;
}

/**
 * Places in a plane, as a Map from id to {x, y}: springs along `moves` ({from, to, count}), and all push each other
 * away. Those in `known` (such a Map) stay where they are: people learn where a level lies.
 */
export function arrange(ids, moves, known) {
  const order = [...ids].sort();
  const nodes = order.map((id, n) => {
    const old = known.get(id);
    const angle = n * GOLDEN + dice(id);
    const radius = Math.sqrt((n + 0.5) / order.length);
    return { id, old: Boolean(old), x: old ? old.x : radius * Math.cos(angle), y: old ? old.y : radius * Math.sin(angle) };
  });
  const index = new Map(nodes.map((node, n) => [node.id, n]));
  const springs = joined(moves, index);
  startNearFriends(nodes, springs);
  const isNew = nodes.some((node) => !node.old);
  const rounds = nodes.every((node) => !node.old) ? ROUNDS : isNew ? ROUNDS_MORE : 0;
  const ideal = 1.1 / Math.sqrt(Math.max(1, nodes.length));
  for (let round = 0; round < rounds; round += 1) relax(nodes, springs, ideal, 0.12 * (1 - round / rounds));
  return new Map(nodes.map(({ id, x, y }) => [id, { x, y }]));
}

function joined(moves, index) {
  const sums = new Map();
  const mostFrom = new Map();
  for (const { from, count } of moves) mostFrom.set(from, Math.max(count, mostFrom.get(from) ?? 0));
  for (const { from, to, count } of moves) {
    if (count < USUAL * mostFrom.get(from)) continue; // a leap now and then says nothing of what lies near
    const a = index.get(from);
    const b = index.get(to);
    if (a === undefined || b === undefined || a === b) continue;
    const key = a < b ? `${a},${b}` : `${b},${a}`;
    sums.set(key, (sums.get(key) ?? 0) + count);
  }
  const most = Math.max(1, ...sums.values());
  return [...sums].map(([key, count]) => {
    const [a, b] = key.split(",").map(Number);
    return { a, b, pull: Math.sqrt(count / most) };
  });
}

function startNearFriends(nodes, springs) {
  for (const [n, node] of nodes.entries()) {
    if (node.old) continue;
    const friends = springs
      .filter(({ a, b }) => a === n || b === n)
      .map(({ a, b }) => nodes[a === n ? b : a])
      .filter(({ old }) => old);
    if (friends.length === 0) continue;
    const angle = 2 * Math.PI * dice(node.id);
    node.x = mean(friends.map(({ x }) => x)) + 0.15 * Math.cos(angle);
    node.y = mean(friends.map(({ y }) => y)) + 0.15 * Math.sin(angle);
  }
}

function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function relax(nodes, springs, ideal, heat) {
  const dx = new Float64Array(nodes.length);
  const dy = new Float64Array(nodes.length);
  for (let i = 0; i < nodes.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const x = nodes[i].x - nodes[j].x;
      const y = nodes[i].y - nodes[j].y;
      const push = (ideal * ideal) / (x * x + y * y + 1e-6);
      dx[i] += x * push;
      dy[i] += y * push;
      dx[j] -= x * push;
      dy[j] -= y * push;
    }
  }
  for (const { a, b, pull } of springs) {
    const x = nodes[a].x - nodes[b].x;
    const y = nodes[a].y - nodes[b].y;
    const force = (pull * Math.hypot(x, y)) / ideal;
    dx[a] -= x * force;
    dy[a] -= y * force;
    dx[b] += x * force;
    dy[b] += y * force;
  }
  for (const [n, node] of nodes.entries()) {
    if (node.old) continue;
    const x = dx[n] - 0.9 * node.x;
    const y = dy[n] - 0.9 * node.y;
    const length = Math.hypot(x, y) || 1;
    const step = Math.min(length, heat);
    node.x += (x / length) * step;
    node.y += (y / length) * step;
  }
}

/** Radii of circles whose area goes by count, as a Map; together some `share` of the stage. */
export function radii(counts, width, height, share = 0.12) {
  const total = [...counts.values()].reduce((sum, count) => sum + Math.max(1, count), 0);
  const scale = Math.sqrt((share * width * height) / (Math.PI * Math.max(12, total)));
  const most = 0.14 * Math.min(width, height);
  const least = Math.max(4, Math.min(width, height) / 130);
  return new Map([...counts].map(([id, count]) => [id, Math.min(most, Math.max(least, scale * Math.sqrt(count)))]));
}

/** What of the plane shall be on the stage: all of `places`, but for those in `fixed`. */
export function frame(places, fixed = {}) {
  const free = [...places].filter(([id]) => !Object.hasOwn(fixed, id)).map(([, place]) => place);
  return { across: ends(free.map(({ x }) => x)), down: ends(free.map(({ y }) => y)) };
}

/**
 * Pixels on a stage of `width` by `height` for `places` as `arrange` makes them, as a Map from id to {x, y, r}, none
 * over another where there is room. `fixed`: places of one's own, {x, y} from 0 to 1; those don't move. `before`: such
 * a Map; who is in it starts from there and moves no more than needed. `framed`: as `frame` makes it.
 */
export function fit(places, radius, width, height, { fixed = {}, gap = 14, before = new Map(), framed = frame(places, fixed) } = {}) {
  const edge = gap + 10;
  const [left, right] = framed.across;
  const [top, bottom] = framed.down;
  const nodes = [...places].map(([id, { x, y }]) => {
    const own = Object.hasOwn(fixed, id) ? fixed[id] : null;
    const was = own ? null : before.get(id);
    if (was) return { id, r: radius.get(id) ?? 4, own: false, x: was.x, y: was.y };
    const across = own ? own.x : (x - left) / (right - left);
    const down = own ? own.y : (y - top) / (bottom - top);
    const r = radius.get(id) ?? 4;
    const inset = edge + SHORE * r;
    return { id, r, own: Boolean(own), x: inset + across * (width - 2 * inset), y: inset + down * (height - 2 * inset) };
  });
  const pushes = before.size > 0 ? PUSHES_MORE : PUSHES;
  for (let round = 0; round < pushes; round += 1) {
    const moved = separate(nodes, gap);
    if (!moved && round > 0) break;
    for (const node of nodes) {
      const inset = edge + SHORE * node.r;
      node.x = Math.min(width - inset, Math.max(inset, node.x));
      node.y = Math.min(height - inset, Math.max(inset, node.y));
    }
  }
  return new Map(nodes.map(({ id, x, y, r }) => [id, { x, y, r }]));
}

function ends(numbers) {
  const low = Math.min(...numbers, Infinity);
  const high = Math.max(...numbers, -Infinity);
  return high > low ? [low, high] : [Number.isFinite(low) ? low - 0.5 : 0, Number.isFinite(low) ? low + 0.5 : 1];
}

function separate(nodes, gap) {
  let moved = false;
  for (let i = 0; i < nodes.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const a = nodes[i];
      const b = nodes[j];
      const need = SHORE * (a.r + b.r) + gap;
      let x = a.x - b.x;
      let y = a.y - b.y;
      let distance = Math.hypot(x, y);
      if (distance >= need || (a.own && b.own)) continue;
      if (distance < 0.01) {
        x = 0.01;
        y = 0.01 * (dice(a.id) - 0.5);
        distance = 0.0142;
      }
      const push = (need - distance) / distance / 2;
      const shareOfA = b.own ? 2 : a.own ? 0 : 1;
      a.x += x * push * shareOfA;
      a.y += y * push * shareOfA;
      b.x -= x * push * (2 - shareOfA);
      b.y -= y * push * (2 - shareOfA);
      moved = true;
    }
  }
  return moved;
}

/**
 * Which labels can be shown without one over another: a Map from id to {dx, dy, inside, within}, those of large levels
 * first. `boxes`: [{id, x, y, r, width, height}], fullest first; `width` and `height` of its text. Large islands hold
 * theirs; `within`: so wide at most, where there was no room for all of it.
 */
export function label(boxes, width, height) {
  const taken = boxes.map(({ id, x, y, r }) => {
    const shore = SHORE * r;
    return { id, left: x - shore, right: x + shore, top: y - shore, bottom: y + shore };
  });
  const shown = new Map();
  for (const { id, x, y, r, width: w, height: h } of boxes) {
    const inward = Math.min(width - 3 - w / 2 - x, Math.max(3 + w / 2 - x, 0)); // of a level near the map's edge
    const shore = SHORE * r;
    const spots = [
      ...(w < 1.5 * r && h < 0.5 * r ? [{ dx: 0, dy: 0.45 * r, inside: true }] : []),
      { dx: inward, dy: shore + 0.7 * h + 2 },
      { dx: inward, dy: -shore - 0.7 * h - 2 },
      { dx: shore + w / 2 + 5, dy: 0 },
      { dx: -shore - w / 2 - 5, dy: 0 },
      ...[-1, 1].flatMap((up) => [1, -1].map((side) => ({ dx: side * (0.72 * shore + w / 2 + 3), dy: up * (0.72 * shore + h / 2) }))),
    ];
    for (const { dx, dy, inside = false } of spots) {
      const box = { id, left: x + dx - w / 2, right: x + dx + w / 2, top: y + dy - h / 2, bottom: y + dy + h / 2 };
      const fits = box.left >= 2 && box.right <= width - 2 && box.top >= 2 && box.bottom <= height - 2;
      if (fits && taken.every((other) => other.id === id || !overlap(box, other))) {
        taken.push(box);
        shown.set(id, { dx, dy, inside });
        break;
      }
    }
    if (!shown.has(id) && h < 0.5 * r) shown.set(id, { dx: 0, dy: 0.45 * r, inside: true, within: 1.5 * r });
  }
  return shown;
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

// The last hour as a small curve. Pure but for the path it draws.

const SVG = "http://www.w3.org/2000/svg";

/** Path data for `averages` (a number or null per minute) in a box; gaps stay gaps. `under`: closed, to be filled. */
export function path(averages, width, height, under = false) {
  const known = averages.filter((average) => average !== null);
  const most = Math.max(1, ...known);
  const step = width / Math.max(1, averages.length - 1);
  const runs = [];
  for (const [n, average] of averages.entries()) {
    if (average === null) continue;
    if (n === 0 || averages[n - 1] === null) runs.push([]);
    runs.at(-1).push([n * step, height - (height - 2) * (average / most) - 1]);
  }
  return runs
    .map((run) => {
      const line = run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
      if (!under) return run.length > 1 ? `M${line}` : `M${line}h0.1`;
      return `M${run[0][0].toFixed(1)} ${height}L${line}L${run.at(-1)[0].toFixed(1)} ${height}Z`;
    })
    .join("");
}

/** Draw them into an `svg` of that size. */
export function draw(svg, averages, width, height) {
  while (svg.children.length < 2) svg.append(document.createElementNS(SVG, "path"));
  const [under, line] = svg.children;
  under.setAttribute("class", "under");
  under.setAttribute("d", path(averages, width, height, true));
  line.setAttribute("d", path(averages, width, height));
}

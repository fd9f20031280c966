/* A small line plot in SVG: it has a text for those who do not see it, and takes its colours from explore.css. */
"use strict";

const Plot = (() => {
  const WIDTH = 340, HEIGHT = 240, LEFT = 44, RIGHT = 10, TOP = 10, BOTTOM = 38;

  function element(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /* Four to six round numbers between two. */
  function ticks(low, high) {
    const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
    const made = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9 * step; tick += step) made.push(tick);
    return made;
  }

  const powers = (low, high) => {
    const made = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) made.push(10 ** power);
    return made;
  };

  const short = (value) =>
    Math.abs(value) >= 1000 ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(4)));

  /* lines: [{ points: [[x, y], ...], kind: "", "second" or "reference", name, at, below }]: the name goes to x = `at`. */
  function draw(svg, { lines, x, y, xLabel, logarithmic = false, dot = null, says }) {
    const place = logarithmic ? Math.log10 : (value) => value;
    const [x0, x1] = x.map(place);
    const toX = (value) => LEFT + ((place(value) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
    const toY = (value) => HEIGHT - BOTTOM - ((value - y[0]) / (y[1] - y[0])) * (HEIGHT - TOP - BOTTOM);
    const inside = (value) => Math.min(Math.max(value, y[0]), y[1]);
    const clipped = element("svg", { x: LEFT, y: TOP - 2, width: WIDTH - RIGHT - LEFT, height: HEIGHT - BOTTOM - TOP + 2 });
    clipped.setAttribute("viewBox", `${LEFT} ${TOP - 2} ${WIDTH - RIGHT - LEFT} ${HEIGHT - BOTTOM - TOP + 2}`);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", says);
    for (const tick of ticks(...y)) {
      svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: toY(tick), y2: toY(tick) }));
      svg.append(element("text", { x: LEFT - 5, y: toY(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    for (const tick of logarithmic ? powers(...x) : ticks(...x)) {
      svg.append(element("text", { x: toX(tick), y: HEIGHT - BOTTOM + 15, "text-anchor": "middle" }, short(tick)));
    }
    svg.append(element("path", { class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
    svg.append(element("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, xLabel));
    svg.append(clipped);
    for (const { points, kind = "", name, at, below = false } of lines) {
      const path = points.map(([px, py], i) => `${i ? "L" : "M"}${toX(px).toFixed(1)} ${toY(py).toFixed(1)}`);
      clipped.append(element("path", { class: kind === "reference" ? "reference" : `line ${kind}`, d: path.join("") }));
      if (name) {
        const near = points.reduce((best, point) => (Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best));
        const role = kind === "reference" ? "of-reference" : kind ? `of-${kind}` : "of-line";
        const away = below ? 15 : -7;
        svg.append(element("text", { class: role, x: toX(near[0]), y: toY(inside(near[1])) + away, "text-anchor": "middle" }, name));
      }
    }
    if (dot) svg.append(element("circle", { class: "dot", cx: toX(dot[0]), cy: toY(inside(dot[1])), r: 5 }));
  }

  return { draw, short };
})();

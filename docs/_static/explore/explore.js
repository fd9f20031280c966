/* The two parts of the interactive page: sliders on the left hand, what follows from them on the right. */
"use strict";

(() => {
  const number = (value, digits) => Number(value.toPrecision(digits)).toString();
  const percent = (value, digits = 3) => `${number(100 * value, digits)} %`;
  const whole = (value) => value.toLocaleString("en", { maximumFractionDigits: 0 });

  /* Read all inputs of a form, say what each is at, and pass their values on, now and at every move. */
  function follow(form, says, update) {
    const run = () => {
      const values = {};
      for (const input of form.querySelectorAll("input")) {
        values[input.name] = input.type === "checkbox" ? input.checked : Number(input.value);
        const output = form.querySelector(`output[for="${input.id}"]`);
        if (output) input.setAttribute("aria-valuetext", (output.textContent = says[input.name](values[input.name])));
      }
      update(values);
    };
    form.addEventListener("input", run);
    form.addEventListener("submit", (event) => event.preventDefault());
    run();
  }

  function fill(table, rows) {
    table.replaceChildren(
      ...rows.map(([name, value]) => {
        const row = document.createElement("tr"), head = document.createElement("th"), cell = document.createElement("td");
        head.scope = "row";
        head.textContent = name;
        cell.textContent = value;
        row.append(head, cell);
        return row;
      }),
    );
  }

  function exploreLoss(root) {
    const panel = (name) => root.querySelector(`svg[data-panel="${name}"]`);
    const grid = Array.from({ length: 241 }, (_, i) => -6 + i / 20);
    const byMargin = (f) => grid.map((u) => [u, f(u)]);
    const byProbability = (f) => grid.map((u) => [Focal.sigmoid(u), f(u)]);
    const share = (exponent) => Number((10 ** exponent).toPrecision(2));
    const says = {
      gamma: (gamma) => number(gamma, 3),
      alpha: (alpha) => number(alpha, 3),
      mix: (mix) => number(mix, 3),
      prior: (exponent) => percent(share(exponent)),
    };
    follow(root.querySelector("form"), says, ({ gamma, alpha, mix, prior: exponent }) => {
      const margin = { x: [-6, 6], xLabel: "margin of the true class" };
      const at = 2 * alpha;
      Plot.draw(panel("loss"), {
        lines: [
          { points: byProbability((u) => Focal.loss(u, 0, 0)), kind: "reference", name: "log loss", at: 0.45 },
          { points: byProbability((u) => at * Focal.loss(u, gamma, mix)), name: "focal", at: 0.3, below: true },
        ],
        x: [0, 1], y: [0, 4], xLabel: "sigmoid(margin) of the true class",
        says: `Loss: ${number(at * Focal.loss(0, gamma, mix), 3)} at a probability of one half, where the log loss has 0.693.`,
      });
      Plot.draw(panel("gradient"), {
        lines: [
          { points: byMargin((u) => -Focal.pull(u, 0, 0)), kind: "reference", name: "log loss", at: 2.2, below: true },
          { points: byMargin((u) => -at * Focal.pull(u, gamma, mix)), name: "focal", at: -3, below: true },
        ],
        ...margin, y: [-2, 0.2],
        says: `Gradient: ${number(-at * Focal.pull(0, gamma, mix), 3)} at margin 0, where the log loss has -0.5.`,
      });
      Plot.draw(panel("hessian"), {
        lines: [
          { points: byMargin((u) => at * Focal.hessian(u, gamma, mix)), kind: "second", name: "exact", at: -3.4, below: true },
          { points: byMargin((u) => at * Focal.stableHessian(u, gamma, mix)), name: "stable", at: -3.4 },
        ],
        ...margin, y: [-0.3, 0.8],
        says: `Hessian at margin -3: exact ${number(at * Focal.hessian(-3, gamma, mix), 3)}, stable ${number(at * Focal.stableHessian(-3, gamma, mix), 3)}.`,
      });
      Plot.draw(panel("link"), {
        lines: [
          { points: byMargin((u) => Focal.sigmoid(u)), kind: "reference", name: "sigmoid", at: -2.6 },
          { points: byMargin((u) => Focal.posterior(u, gamma, mix)), name: "focal link", at: 3, below: true },
        ],
        ...margin, y: [0, 1],
        says: `Link: margin 1 is a probability of ${percent(Focal.posterior(1, gamma, mix))}; the sigmoid says 73.1 %.`,
      });
      const prior = share(exponent), start = Focal.start(prior, alpha, gamma, mix);
      fill(root.querySelector("table"), [
        [`Margin that training starts from, with ${percent(prior)} positives`, number(start, 4)],
        ["What the focal link makes of it", percent(Focal.posterior(start, gamma, mix))],
        ["What the sigmoid would make of it", percent(Focal.sigmoid(start))],
        ["Share of the log loss's gradient at a probability of 90 %", percent((at * Focal.pull(Math.log(9), gamma, mix)) / 0.1)],
      ]);
    });
  }

  function exploreCosts(root) {
    const frauds = new Set(SCORES.fraud);
    const rows = SCORES.probability.map((probability, i) => ({
      probability, amount: SCORES.amount[i], weight: SCORES.weight[i], fraud: frauds.has(i),
    }));
    const panel = (name) => root.querySelector(`svg[data-panel="${name}"]`);
    const says = {
      miss: (miss) => number(miss, 4),
      alarm: (alarm) => number(alarm, 4),
      budget: (exponent) => whole(Math.round(10 ** exponent)),
    };
    follow(root.querySelector("form"), says, ({ miss, alarm, budget: exponent, byAmount }) => {
      const budget = Math.round(10 ** exponent);
      const points = Alerts.curve(rows, SCORES.days, { miss: byAmount ? 1 : miss, alarm, byAmount });
      const chosen = Alerts.decide(points, budget);
      const most = Math.max(1, ...points.map((point) => point.saved));
      const shown = points.filter((point) => point.alerts <= 2e4);
      const common = { x: [3, 2e4], xLabel: "alerts a day", logarithmic: true };
      const nothing = { alerts: 0, found: 0, frauds: 0, saved: 0 }, { alerts, found, saved, frauds: caught } = chosen ?? nothing;
      const dot = (value) => (chosen ? [Math.max(alerts, 3), value] : null);
      Plot.draw(panel("found"), {
        ...common, lines: [{ points: shown.map((p) => [Math.max(p.alerts, 3), p.found]) }], y: [0, 1], dot: dot(found),
        says: `Share of frauds caught against alerts a day; chosen: ${whole(alerts)} alerts, ${percent(found)} caught.`,
      });
      Plot.draw(panel("saved"), {
        ...common, lines: [{ points: shown.map((p) => [Math.max(p.alerts, 3), p.saved]) }], y: [-most / 2, 1.1 * most],
        dot: dot(saved), says: `Money saved a day against alerts a day; chosen: ${whole(saved)}.`,
      });
      const limit = chosen && points.find((point) => point.alerts > alerts + 1e-9);
      fill(root.querySelector("table"), [
        ["Alerts a day", whole(alerts)],
        ["Frauds caught", `${whole(caught * SCORES.days)} of ${frauds.size} in the test, ${percent(found)}`],
        ["Alerts that are fraud", alerts ? percent(caught / alerts) : "none"],
        ["Saved a day, beside no alerts", whole(saved)],
        ["What ends the alerts", limit && limit.gain > 0 ? "the budget" : "the next would cost more than it saves"],
      ]);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const loss = document.getElementById("explore-loss"), costs = document.getElementById("explore-costs");
    if (loss) exploreLoss(loss);
    if (costs) exploreCosts(costs);
  });
})();

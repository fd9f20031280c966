/* Which of the scored transactions are alerts, and what that comes to. tests/test_explore.py compares it with Python. */
"use strict";

const Alerts = (() => {
  /* Every transaction by what an alert is expected to save: the cost of a miss if it is fraud, less that of an alarm
     if it is none. A miss costs `miss`, or the amount of the transaction times `miss` if `byAmount`. */
  function ranked(rows, { miss, alarm, byAmount }) {
    const valued = rows.map(({ fraud, probability, amount, weight }) => {
      const lost = byAmount ? amount * miss : miss;
      return { fraud, weight, lost, gain: probability * lost - (1 - probability) * alarm };
    });
    return valued.sort((a, b) => b.gain - a.gain);
  }

  /* What the first alerts of that order find and save, a day, for every number of them. */
  function curve(rows, days, costs) {
    const frauds = rows.reduce((sum, row) => sum + (row.fraud ? row.weight : 0), 0);
    let alerts = 0, found = 0, saved = 0;
    return ranked(rows, costs).map(({ fraud, weight, lost, gain }) => {
      alerts += weight;
      found += fraud ? weight : 0;
      saved += weight * (fraud ? lost : -costs.alarm);
      return { gain, alerts: alerts / days, found: found / frauds, frauds: found / days, saved: saved / days };
    });
  }

  /* Alerts that are expected to save anything, as many as the budget has; null for none. */
  function decide(points, budget) {
    let best = null;
    for (const point of points) {
      if (point.gain <= 0 || point.alerts > budget + 1e-9) break;
      best = point;
    }
    return best;
  }

  return { curve, decide };
})();

/* The focal loss of two classes as skfocal has it: loss, derivatives, link and start. Functions of u, the margin by which
   the true class leads; tests/test_explore.py compares them with Python. */
"use strict";

const Focal = (() => {
  const logSigmoid = (u) => Math.min(u, 0) - Math.log1p(Math.exp(-Math.abs(u)));
  const sigmoid = (u) => (u >= 0 ? 1 / (1 + Math.exp(-u)) : Math.exp(u) / (1 + Math.exp(u)));
  const mixed = (focal, other, mix) => (1 - mix) * focal + mix * other;

  const loss = (u, gamma, mix) => -mixed(Math.exp(gamma * logSigmoid(-u)), 1, mix) * logSigmoid(u);

  /* Minus the gradient by u. */
  function pull(u, gamma, mix) {
    const p = sigmoid(u), q = sigmoid(-u);
    return mixed(Math.exp(gamma * logSigmoid(-u)) * (q - gamma * p * logSigmoid(u)), q, mix);
  }

  function hessian(u, gamma, mix) {
    const p = sigmoid(u), q = sigmoid(-u), logP = logSigmoid(u);
    const bend = q * (1 + 2 * gamma + gamma * logP) - gamma * gamma * p * logP;
    return mixed(p * Math.exp(gamma * logSigmoid(-u)) * bend, p * q, mix);
  }

  /* Never below a bound of the logistic loss's curvature, times the focal factor (Jaakkola and Jordan 2000). */
  function stableHessian(u, gamma, mix) {
    const away = Math.abs(u);
    const bound = away < 1e-9 ? 0.5 : -Math.expm1(-away) / (2 * away);
    return Math.max(hessian(u, gamma, mix), pull(u, gamma, mix) * Math.max(sigmoid(u), bound));
  }

  /* log(p / A(p)): the posterior of a class is proportional to p / A. */
  function logLink(u, gamma, mix) {
    const odds = Math.exp(-Math.abs(u));
    const m = u < 0 ? -odds * logSigmoid(u) : odds > 0 ? Math.log1p(odds) / odds : 1;
    const a = Math.exp(gamma * logSigmoid(-u) + Math.log1p(gamma * m));
    return logSigmoid(u) - (mix > 0 ? Math.log(mixed(a, 1, mix)) : gamma * logSigmoid(-u) + Math.log1p(gamma * m));
  }

  const logOdds = (z, gamma, mix) => logLink(z, gamma, mix) - logLink(-z, gamma, mix);
  const posterior = (z, gamma, mix) => sigmoid(logOdds(z, gamma, mix));

  /* The margin whose posterior is the prior, as alpha reweighs it: where training starts. */
  function start(prior, alpha, gamma, mix) {
    const target = Math.log(prior / (1 - prior)) + Math.log(alpha / (1 - alpha));
    let low = -1, high = 1;
    while (logOdds(low, gamma, mix) > target) low *= 2;
    while (logOdds(high, gamma, mix) < target) high *= 2;
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if (logOdds(middle, gamma, mix) < target) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  return { sigmoid, loss, pull, hessian, stableHessian, posterior, start };
})();

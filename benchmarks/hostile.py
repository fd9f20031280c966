"""Fit hostile data x parameters x estimators, for as long as it is told, to see whether anything ends silently wrong.

    python benchmarks/hostile.py --minutes 10              # cases from 0 on
    python benchmarks/hostile.py --minutes 10 --seed 5000  # others
    python benchmarks/hostile.py --case 1234               # one of them again, with what it is

A case is drawn from one whole number: a kind of data (`hostile_data`, and what stands beside it), an estimator,
parameters and sample weights (`hostile_cases`). It is fitted with our class and, with the parameters that it knows,
with the plain engine's own, each in a child process. Never may there be probabilities that are no numbers, not in [0,
1] or do not sum to 1, changed input, a constant model without a warning, a process that ends or hangs (`--limit`), or
an error that is not clear: a ValueError or TypeError that names a parameter, its value or a part of the data. What
ours refuses and the engine trains on is a failure, unless it is refused on purpose (`ON_PURPOSE`). The exit status is
1 after a failure.

fine       trained, and probabilities are
refused    by a clear error
constant   and warned of; the engines do not warn
theirs     refused by an error that is not clear, and is the engine's own (`THEIRS`, `BY_CHANCE`)
failed     anything else
"""

import argparse
import faulthandler
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else two threads on a busy machine wait as if they worked

import hostile_cases
from hostile_fits import Outcome, attempt

# Start of what ours says where the engine trains, as a regular expression: why that is so.
ON_PURPOSE: dict[str, str] = {
    r"ValueError: sample_weight must (be at most|be >= 0|have at least one non-zero)": "they would be passed over",
    r"ValueError: sample_weight times class_weight (times focal_alpha )?must be at most": "beyond float32",
    r"ValueError: sample_weight must be None with sampler": "samples that are made have no weights",
    r"ValueError: sampler must leave samples of every class": "there is no model of the others",
    r"TypeError: X must be .* with sampler": "imbalanced-learn drops their columns",
    r"ValueError: Input X contains infinity": "XGBoost refuses it in training, and takes it to predict",
    r"ValueError: Found array with 0 sample": "scikit-learn's convention",
    r"DuplicateError: Expected unique column names": "scikit-learn's own comparison of names",
    r"TypeError: Feature names are only supported if all": "scikit-learn's convention",
    r"ValueError: (boosting_type|linear_tree) must be": "not with a loss of one's own",
    r"ValueError: eval_metric must be precision_at_k@k with a number, for two classes": "for two classes alone",
    r"ValueError: missing must be finite or NaN for booster='gblinear'": "its coefficients would be NaN beyond float32",
    r"ValueError: (early_stopping_rounds|extra_trees) must be .* with .*dart": "it changes earlier trees",
    r"ValueError: early_stopping\w* .*needs two samples of every class": "one to train and one to validate",
    r"ValueError: validation_fraction must leave": "one of each class to train and to validate",
    r"ValueError: The feature names should match": "LightGBM does not look at them",
    r"ValueError: y must (hold at least two classes|hold class labels)": "the engine's model is a constant",
}

# Errors that are not clear, and are those of the engine, too.
THEIRS = (
    r"ValueError: setting an array element with a sequence",  # of scikit-learn, of a column of lists
    r"TypeError: float\(\) argument must be .* not '(Timestamp|Timedelta)'",  # of scikit-learn, of categories
    r"DTypePromotionError: The DType .* could not be promoted .*(DateTime|TimeDelta)64DType",  # of NumPy, of days
    r"LightGBMError: Cannot use bagging in GOSS",  # which does not say what of
)
# Of LightGBM (#4739), with use_quantized_grad: of data that the engine takes ours may meet it, and the other way round.
BY_CHANCE = r"LightGBMError: Check failed: \(best_split_info"
STATUSES = ("fine", "refused", "constant", "theirs", "failed")


class Worker:
    """A process that fits cases, or answers otherwise: it may die or hang, and is then replaced."""

    def __init__(self, answer=attempt):
        self.answer = answer
        descriptor, log = tempfile.mkstemp(suffix=".log", prefix="hostile-")
        os.close(descriptor)
        self.log = Path(log)
        self._start()

    def _start(self):
        self.log.write_text("")
        context = multiprocessing.get_context("spawn")
        self.pipe, childs = context.Pipe()
        self.process = context.Process(target=work, args=(childs, self.log, self.answer), daemon=True)
        self.process.start()
        childs.close()

    def ask(self, seed, which, limit):
        """Return the outcome of a case."""
        try:
            self.pipe.send((seed, which))
            if self.pipe.poll(limit):
                return self.pipe.recv()
            why = f"hangs, for more than {limit} s"
        except (EOFError, OSError):
            self.process.join()
            why = f"the process has died, exit code {self.process.exitcode} {self._last_words()}"
        self.process.kill()
        self._start()
        return Outcome("failed", why)

    def _last_words(self):
        """Return what was printed last, before the list of modules that Python adds."""
        printed = self.log.read_text(errors="replace")
        end = printed.rfind("Fatal Python error")
        return printed[-200:] if end < 0 else printed[max(0, end - 100) : end + 100]

    def close(self):
        """End the process."""
        self.process.kill()
        self.process.join()
        self.log.unlink()


def work(pipe, log, answer):
    """Answer until there are no more questions; what engines print goes to a file."""
    with log.open("a") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        faulthandler.enable(file)
        for question in iter(pipe.recv, None):
            pipe.send(answer(*question))


def verdict(ours, engine):
    """Return what a case comes to: what ours has come to, seen beside the engine."""
    if ours.status == "refused" and engine.status in ("fine", "constant"):
        on_purpose = ours.why.startswith("the sampler's ") or any(re.match(each, ours.why) for each in ON_PURPOSE)
        return ours if on_purpose else Outcome("failed", f"refuses what the engine takes: {ours.why}")
    if re.match(BY_CHANCE, ours.why) or (ours == engine and any(re.match(each, ours.why) for each in THEIRS)):
        return ours._replace(status="theirs")
    return ours


def run(seeds, limit, deadline=float("inf")):
    """Yield the cases of these seeds with the verdict and both outcomes, until it is late."""
    workers = {which: Worker() for which in ("ours", "engine")}
    try:
        for seed in seeds:
            if time.monotonic() > deadline:
                break
            ours, engine = (worker.ask(seed, which, limit) for which, worker in workers.items())
            yield seed, verdict(ours, engine), ours, engine
    finally:
        for worker in workers.values():
            worker.close()


class Table:
    """Counts of verdicts by kind and estimator, and how ours and the engines compare."""

    def __init__(self):
        self.cells, self.compared, self.engines = Counter(), Counter(), Counter()

    def add(self, seed, result, engine):
        """Count a case."""
        kind, pair = hostile_cases.kind_and_pair(seed)
        self.cells[kind.__name__, pair.ours.__name__, result.status] += 1
        self.compared[pair.ours.__name__, result.status, engine.status] += 1
        if engine.status == "failed" and result.status != "failed":
            why = re.sub(r"\d+", "#", " ".join(engine.why.split()))[:90]
            self.engines[pair.engine.__name__, why, result.status] += 1

    def lines(self):
        """Yield the lines to print."""
        names = [pair.ours.__name__ for pair in hostile_cases.PAIRS]
        short = [name.removeprefix("Focal").removesuffix("Classifier") for name in names]
        yield f"{'/'.join(STATUSES)}"
        yield f"{'':28}" + "".join(f"{name:>21}" for name in short)
        kinds = [kind.__name__ for kind in hostile_cases.KINDS]
        for label, of_kinds in [*((kind, [kind]) for kind in kinds), ("all", kinds)]:
            cells = [
                "/".join(str(sum(self.cells[kind, name, status] for kind in of_kinds)) for status in STATUSES)
                for name in names
            ]
            yield f"{label:28}" + "".join(f"{cell:>21}" for cell in cells)
        yield ""
        yield f"{'ours':9} {'the engine':11}" + "".join(f"{name:>21}" for name in short)
        for ours in STATUSES:
            for engine in STATUSES:
                counts = [self.compared[name, ours, engine] for name in names]
                if any(counts):
                    yield f"{ours:9} {engine:11}" + "".join(f"{count:21}" for count in counts)
        yield ""
        yield "how the engines fail, and what ours does there"
        for (engine, why, ours), count in self.engines.most_common(20):
            yield f"{count:4}  {engine}: {why}: {ours}"


def show(seed, result, ours, engine):
    """Print a case and what has come of it."""
    kind, pair = hostile_cases.kind_and_pair(seed)
    print(f"--case {seed}  {kind.__name__}  {pair.ours.__name__}  {result.status}")
    print(f"    ours: {' '.join(result.why.split()) or ours.status}")
    print(f"    engine: {engine.status} {' '.join(engine.why.split())}", flush=True)


def main():
    """Run cases; print failures as they come, the table, and the number of cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cases", type=int, help="end after so many, if that is sooner")
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--case", type=int, help="run this one alone, and say what it is")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that a fit may take")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args()
    alone = options.case is not None
    first = options.case if alone else options.seed
    seeds = range(first, first + 1 if alone else first + options.cases if options.cases else sys.maxsize)
    table, n_cases, n_failed = Table(), 0, 0
    for seed, result, ours, engine in run(seeds, options.limit, time.monotonic() + 60 * options.minutes):
        table.add(seed, result, engine)
        n_cases, n_failed = n_cases + 1, n_failed + (result.status == "failed")
        if result.status == "failed" or options.verbose or alone:
            show(seed, result, ours, engine)
    print(*([hostile_cases.draw(first)] if alone else table.lines()), sep="\n")
    print(f"{n_cases} cases, {n_failed} failed")
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()

"""Model files of ours, and ways to damage them: by chance, and by somebody who knows the format."""

import json
import random
import re

from skfocal.boosting.safe_file import CHECKSUM, sealed

from .conftest import boosted_with, engine_of

SAVING = boosted_with("files")
FILES = [(each, name) for each in SAVING for name in engine_of(each).files]

# ------------------------------------------------------------------------------------------------------------ by chance


def cut(whole, rng):
    return whole[: rng.randrange(len(whole))]


def with_a_bit_flipped(whole, rng):
    changed = bytearray(whole)
    changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def with_bytes_changed(whole, rng):
    changed = bytearray(whole)
    for _ in range(3):
        place = rng.randrange(len(changed))
        changed[place] = (changed[place] + 1 + rng.randrange(255)) % 256
    return bytes(changed)


TOKENS = [b"-1", b"0", b"1", b"9", b"2147483647", b"-2147483648", b"4294967295", b"9" * 19, b"1e308", b"nan", b"x", b""]


def with_other_numbers(whole, rng):
    """Return content with some numbers or bytes changed, or a part left out."""
    changed = bytearray(whole)
    numbers = [each.span() for each in re.finditer(rb"-?\d[-+.\deE]*", whole)]
    for _ in range(rng.choice([1, 1, 2, 4])):
        start, end = rng.choice(numbers)
        how = rng.randrange(4)
        if how == 0:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        elif how == 1:
            del changed[start : start + rng.choice([1, 10, 1000])]
        elif end <= len(changed):
            changed[start:end] = rng.choice(TOKENS)
    return bytes(changed)


def damaged(whole, ways, n_files):
    """Yield so many files for each of some ways."""
    rng = random.Random(0)
    for way in ways:
        for _ in range(n_files):
            yield way(whole, rng)


# ---------------------------------------------------------------------------------------------------------- on purpose


def _with_checksum(content, checksum):
    changed, n = re.subn(rb'(?<=checksum)(\\?": \\?")[0-9a-f]{64}', rb"\g<1>" + checksum, content, count=1)
    assert n == 1, "no checksum to change"
    return changed


def without_checksum(content):
    """Return content, as long as it was, in which no checksum is found."""
    return _with_checksum(content, b"none".ljust(64))


def resealed(content):
    """Return content with the checksum that it should have."""
    return sealed(_with_checksum(content, CHECKSUM.encode()))


def with_record(path, change):
    """Change what a file says of the classifier, and write it without a checksum."""

    def changed(record):
        return json.dumps(change({name: value for name, value in json.loads(record).items() if name != "checksum"}))

    if path.suffix == ".txt":
        lines = path.read_text().split("\n")
        lines[1] = "skfocal=" + changed(lines[1].removeprefix("skfocal=")).replace("=", "\\u003d")
        path.write_text("\n".join(lines))
        return
    model = json.loads(path.read_text())
    attributes = model["learner"]["attributes"]
    attributes["skfocal"] = changed(attributes["skfocal"])
    path.write_text(json.dumps(model))


def with_true_sizes(text):
    """Return LightGBM's text with the lengths of its trees in the header."""
    forest, end, rest = text.partition("end of trees\n")
    header, *trees = re.split(r"^(?=Tree=)", forest, flags=re.MULTILINE)
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    return re.sub(r"(?<=^tree_sizes=).*", sizes, header, count=1, flags=re.MULTILINE) + "".join(trees) + end + rest


def with_line(text, name, value, of="Tree=0"):
    """Return LightGBM's text with another value of the first name after a place."""
    place = text.index(of)
    return text[:place] + re.sub(rf"^{name}=.*", f"{name}={value}", text[place:], count=1, flags=re.MULTILINE)


def with_value(content, way, value):
    """Return XGBoost's JSON, sealed, in which something of the learner is another value."""
    model = json.loads(content)
    at = model["learner"]
    for step in way[:-1]:
        at = at[step]
    at[way[-1]] = value
    return resealed(json.dumps(model).encode())

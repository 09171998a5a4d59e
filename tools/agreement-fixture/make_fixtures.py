"""Makes tests/fixtures/agreement.json: ratings, and what the packages krippendorff and irrCAC say of their agreement.

Each case has units (rows), raters (columns; null: not rated), the number of categories to choose from, Krippendorff's alpha under
three metrics, Gwet's AC1, and the raw agreement. The first case is the worked example of Krippendorff (2011). Seeded: the same
bytes on every run.

Usage: python make_fixtures.py OUT_FILE
"""

import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC

# Krippendorff (2011), section C: four observers, twelve units, nominal to ratio, with missing data.
WORKED = [
    [1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None],
]


def invented(rng, units, raters, categories, missing, noise):
    """Each unit has a true value; a rater gives it, one beside it, or nothing."""
    rows = []
    for _ in range(units):
        true = min(categories, max(1, round(rng.gauss(0.7 * categories, 0.25 * categories))))
        rows.append([
            None if rng.random() < missing else min(categories, max(1, true + (rng.choice([-1, 1, 2]) if rng.random() < noise else 0)))
            for _ in range(raters)
        ])
    return rows


def skewed(rng, units):
    """Verdicts of two raters that are nearly all the same: where alpha falls and AC1 does not."""
    return [[1 if rng.random() < 0.96 else 3 for _ in range(2)] for _ in range(units)]


def case(name, rows, categories):
    data = np.array([[np.nan if value is None else float(value) for value in row] for row in rows])
    alpha = {metric: float(krippendorff.alpha(reliability_data=data.T, level_of_measurement=metric)) for metric in ("nominal", "ordinal", "interval")}
    gwet = CAC(pd.DataFrame(data), categories=[float(c) for c in range(1, categories + 1)], digits=15).gwet()["est"]
    return {"name": name, "ratings": rows, "categories": categories, "alpha": alpha, "ac1": gwet["coefficient_value"], "raw": gwet["pa"]}


def main(out):
    rng = random.Random(11)
    cases = [
        case("Krippendorff 2011", WORKED, 5),
        case("scores, two of many raters", invented(rng, 60, 8, 5, 0.7, 0.3), 5),
        case("scores, three raters, much noise", invented(rng, 40, 3, 5, 0.2, 0.8), 5),
        case("scores, complete", invented(rng, 30, 4, 5, 0.0, 0.4), 5),
        case("verdicts, nearly all accepted", skewed(rng, 80), 3),
    ]
    tools = {name: version(name) for name in ("krippendorff", "irrCAC", "numpy", "pandas")}
    Path(out).write_text("{\"tools\": %s,\n\"cases\": [\n%s\n]}\n" % (json.dumps(tools), ",\n".join(json.dumps(case) for case in cases)))


if __name__ == "__main__":
    main(sys.argv[1])

"""Near-duplicates with datasketch, as npm run proof:duplicates compares them: the same shingles, permutations, bands and confirmation.

    python duplicates.py TEXTS.json      {"texts": [..], "threshold": 0.7, "permutations": 128, "bands": 32, "rows": 4}

Prints one JSON line: for each way, processor seconds, seconds, and how many texts were linked to an earlier one. Two ways, both in
datasketch's favour: shingles go in as one batch, and links stop at the first confirmed candidate. `datasketch` hashes with SHA-1, its default;
`datasketch, hash()` with Python's own hash, the fastest there is.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
from datasketch import MinHash, MinHashLSH, __version__  # noqa: E402

WIDTH = 5


def shingles(text):
    return {text[i : i + WIDTH] for i in range(len(text) - WIDTH + 1)}


def find(task, hashfunc=None):
    lsh = MinHashLSH(num_perm=task["permutations"], params=(task["bands"], task["rows"]))
    sets, links = [], 0
    options = {"hashfunc": hashfunc} if hashfunc else {}
    for i, text in enumerate(task["texts"]):
        own = shingles(text)
        minhash = MinHash(num_perm=task["permutations"], seed=1, **options)
        minhash.update_batch([s.encode() for s in own] if hashfunc is None else own)
        for other in lsh.query(minhash):
            both = len(own & sets[other])
            if both / (len(own) + len(sets[other]) - both) >= task["threshold"]:
                links += 1
                break
        lsh.insert(i, minhash, check_duplication=False)
        sets.append(own)
    return links


def measured(*args):
    cpu, wall = time.process_time(), time.perf_counter()
    links = find(*args)
    return {"cpu_seconds": time.process_time() - cpu, "seconds": time.perf_counter() - wall, "links": links}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    result = {
        "datasketch": measured(task),
        "datasketch, hash()": measured(task, lambda shingle: hash(shingle) & 0xFFFFFFFF),
        "versions": {"python": sys.version.split()[0], "datasketch": __version__},
    }
    print(json.dumps(result))

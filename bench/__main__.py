"""python3 dev.py bench [NAME ...] [--full] [--data DIR]

One JSON line a figure on standard output. The short form measures the week that the project carries, stretched to
eight, and fails only beyond 1.5 times a target; --full takes the medians of five paired runs, and compares with the
programs of the group `bench`. With --data DIR (members, products, orders, yields) the season's steps and the pages are
measured on the whole season in DIR.
"""

import argparse
import sys
from pathlib import Path

from bench import balances, bank, deliveries, engine, leximin, order, pages, papers, posting, season
from bench.measure import WEEK, Plan, Report

BENCHES = {
    "engine": engine.measure,
    "leximin": leximin.measure,
    "season": season.measure,
    "pages": pages.measure,
    "posting": posting.measure,
    "deliveries": deliveries.measure,
    "order": order.measure,
    "balances": balances.measure,
    "bank": bank.measure,
    "papers": papers.measure,
}


def main() -> int:
    words = argparse.ArgumentParser(prog="bench", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all of them by default")
    words.add_argument("--full", action="store_true")
    words.add_argument("--data", type=Path, default=WEEK)
    asked = words.parse_args()
    if unknown := set(asked.names) - BENCHES.keys():
        words.error(f"no such bench: {', '.join(sorted(unknown))}")
    plan = Plan(folder=asked.data, full=asked.full, runs=5 if asked.full else 3)
    report = Report(full=asked.full)
    for name in asked.names or BENCHES:
        for figure in BENCHES[name](plan):
            report.add(figure)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())

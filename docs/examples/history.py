"""Prints the history that Binance Order Book Trigger keeps of a symbol in Redis. Python 3.8 or later; no packages.

    python3 history.py [--redis host:port] [--prefix examples/] [--hours 24] SYMBOL

User and password come from REDIS_USER and REDIS_PASSWORD.
"""

import argparse
from datetime import datetime, timezone

from dashboard import Redis

SIGNALS = {"S": "SELLING", "B": "BUYING", "N": "NEUTRAL", "-": None}
# Two samples this many periods apart, or more: something between them is missing.
GAP_PERIODS = 1.5


def number(text):
    return None if text == "" else float(text)


def sample(entry):
    """One entry of the stream as a dictionary; None where its version is not known."""
    name, (field, text) = entry[0].decode(), [part.decode() for part in entry[1]]
    fields = text.split(",")
    if field != "h" or fields[0] != "1":
        return None
    state, marks, basis = fields[7:10]
    return {
        "time_ms": int(name.split("-")[0]),
        "last_update_id": None if fields[1] == "" else int(fields[1]),
        "mid": number(fields[2]),
        "spread": number(fields[3]),
        "imbalance_percent": number(fields[4]),
        "signal": SIGNALS[state[0]],
        "reason": state[3:] or None,
        "fetched_again": "r" in marks,
        "alert": "a" in marks,
        "every_ms": 1000 * float(basis.split("@")[1]),
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--redis", default="127.0.0.1:6379")
    options.add_argument("--prefix", default="examples/")
    options.add_argument("--hours", type=float, default=24)
    options.add_argument("symbol")
    chosen = options.parse_args()
    host, port = chosen.redis.rsplit(":", 1)
    redis = Redis(host, int(port))
    # Redis's clock: this machine's may differ.
    now_ms = 1000 * int(redis.call("TIME")[0])
    start = int(now_ms - 3_600_000 * chosen.hours)
    # Newest first.
    entries = redis.call("XREVRANGE", f"{chosen.prefix}{chosen.symbol.lower()}-history", "+", start)
    before = None
    for entry in reversed(entries):
        one = sample(entry)
        if one is None:
            continue
        if before is not None and one["time_ms"] - before >= GAP_PERIODS * one["every_ms"]:
            print(f"gap of {(one['time_ms'] - before) / 1000:.0f} s")
        before = one["time_ms"]
        time = datetime.fromtimestamp(before / 1000, timezone.utc).strftime("%H:%M:%S")
        marks = " ".join(mark for mark in ("fetched_again", "alert") if one[mark])
        print(f"{time} mid {one['mid']} imbalance {one['imbalance_percent']} {one['signal'] or one['reason']} {marks}".rstrip())


if __name__ == "__main__":
    main()

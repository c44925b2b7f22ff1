"""Shows order books that Binance Order Book Trigger keeps in Redis. Python 3.8 or later, no packages.

    python3 dashboard.py [--redis HOST:PORT] [--prefix examples/] [--once] SYMBOL...

User and password: REDIS_USER and REDIS_PASSWORD.
"""

import argparse
import json
import os
import socket
import time

MAX_AGE_MS = 5000


class Redis:
    """The little of Redis's protocol that reading needs."""

    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=5).makefile("rwb")
        password = os.environ.get("REDIS_PASSWORD")
        if password:
            self.call("AUTH", os.environ.get("REDIS_USER", "default"), password)

    def call(self, *words):
        parts = [str(word).encode() for word in words]
        self.stream.write(b"*%d\r\n" % len(parts))
        for part in parts:
            self.stream.write(b"$%d\r\n%s\r\n" % (len(part), part))
        self.stream.flush()
        return self._reply()

    def _reply(self):
        line = self.stream.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.stream.read(size + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind in (b"+", b":"):
            return rest
        raise ConnectionError("Redis closed the connection")


def row(redis, prefix, symbol):
    text = redis.call("GET", f"{prefix}{symbol.lower()}-orderbook")
    if text is None:
        return f"{symbol:<12} missing"
    book = json.loads(text)
    if book["format"] != 1:
        return f"{symbol:<12} unknown format {book['format']}"
    # The age by Redis's clock: this machine's may differ.
    seconds, micros = redis.call("TIME")
    age_ms = int(seconds) * 1000 + int(micros) // 1000 - book["liveAtMs"]
    usable = book["state"] == "live" and "tradingStatus" not in book and age_ms <= MAX_AGE_MS
    if not usable or not book["bids"] or not book["asks"]:
        return f"{symbol:<12} {book['state']}, {age_ms} ms old: not used"
    bids = sum(float(price) * float(quantity) for price, quantity in book["bids"])
    asks = sum(float(price) * float(quantity) for price, quantity in book["asks"])
    lean = 100 * (asks - bids) / max(asks, bids)
    return (
        f"{symbol:<12} bid {book['bids'][0][0]:>14} ask {book['asks'][0][0]:>14} "
        f"asks over bids {lean:+6.1f} %  {age_ms} ms old"
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--redis", default="127.0.0.1:6379")
    options.add_argument("--prefix", default="examples/")
    options.add_argument("--once", action="store_true")
    options.add_argument("symbols", nargs="+")
    chosen = options.parse_args()
    host, port = chosen.redis.rsplit(":", 1)
    redis = Redis(host, int(port))
    while True:
        for symbol in chosen.symbols:
            print(row(redis, chosen.prefix, symbol), flush=True)
        if chosen.once:
            return
        print(flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()

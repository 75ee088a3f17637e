# The time-stamped delay factor (EBU Tech 3337) from its definition, with exact fractions, of packets as tshark gives them:
#
#   tshark … -T fields -e frame.time_epoch -e rtp.seq -e rtp.timestamp | delay.py RATE WINDOW_MS
#
# In each window, begun with a packet: D(i) = (R(i) - R(0)) - (S(i) - S(0)), arrival less RTP time; TS-DF = max D - min D. The first
# packet at or after the window's end begins the next. A packet counts once, and not when it was overtaken.
import json
import sys
from fractions import Fraction as F

rate, length = int(sys.argv[1]), int(sys.argv[2]) * 1_000_000
window, highest, told = None, None, []
for line in sys.stdin:
    epoch, sequence, timestamp = line.rstrip("\n").split("\t")
    seconds, _, rest = epoch.partition(".")
    at, sequence, timestamp = int(seconds) * 10**9 + int(rest.ljust(9, "0")), int(sequence), int(timestamp)
    if highest is not None and not 0 < (sequence - highest) % 65536 < 32768:
        continue
    highest = sequence
    if window and at - window[0] >= length:
        exact = max(window[2]) - min(window[2])
        # Between whole nanoseconds lies the truth.
        told.append({"at_ns": window[0], "least": int(exact), "most": -int(-exact // 1)})
        window = None
    if not window:
        window = (at, timestamp, [])
    steps = (timestamp - window[1] + 2**31) % 2**32 - 2**31
    window[2].append(at - window[0] - F(steps * 10**9, rate))
print(json.dumps(told))

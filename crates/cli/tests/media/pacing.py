# ST 2110-21 from its definitions, with exact fractions: what each frame or field does to the network's bucket and to the
# receiver's buffer. Reads the fields of packets as tshark gives them; says one object a unit.
#
#   tshark … -T fields -e frame.time_epoch -e rtp.seq -e rtp.timestamp -e rtp.marker -e rtp.payload | pacing.py RATE SCAN HEIGHT MODEL
#
# TFRAME, NPACKETS: a frame and its packets, of both fields. All instants are TAI since the epoch.
import json
import sys
from fractions import Fraction as F
from math import floor

rate, scan, height, model = F(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
NS = 1_000_000_000
# Of compressed video here nothing tells what the capture's clock is: it is taken as it is.
TAI_LESS_UTC = 37 * NS if model == "raw" else 0
CLOCK = 90_000
T = NS / rate
parts = 1 if scan == "progressive" else 2

# §6.3: lines of the whole raster, those in which a picture is read, and TRODEFAULT.
if parts == 1:
    lines, active = 1125, F(1080, 1125)
    offset = T * (F(43, 1125) if height >= 1080 else F(28, 750))
elif height <= 525:
    lines, active, offset = 525, F(height, 525), T * F(20, 525)
elif height <= 625:
    lines, active, offset = 625, F(height, 625), T * F(26, 625)
else:
    lines, active, offset = 1125, F(height, 1125), T * F((1125 - height) // 2, 1125)

# A unit is a frame, or a field: what shares a timestamp and the field bit of RFC 4175.
units = []
for line in sys.stdin:
    epoch, sequence, timestamp, marker, payload = line.rstrip("\n").split("\t")
    seconds, _, rest = epoch.partition(".")
    at = int(seconds) * NS + int(rest.ljust(9, "0")) + TAI_LESS_UTC
    second = model == "raw" and bool(int(payload.replace(":", "")[8:10], 16) & 0x80)
    key = (int(timestamp), second)
    if not units or units[-1]["key"] != key:
        units.append({"key": key, "times": [], "sequences": []})
    units[-1]["times"].append(at)
    units[-1]["sequences"].append(int(sequence))


def apart(number, of):
    """By how many packets a sequence number is behind another's, across the wrap."""
    return (number - of + 32768) % 65536 - 32768


def whole(at):
    """Whether the unit begins after the one before, and nothing in it is missing."""
    before = units[at - 1]["sequences"]
    last = before[0] + max(apart(it, before[0]) for it in before)
    numbers = sorted(apart(it, last) for it in units[at]["sequences"])
    return numbers == list(range(1, 1 + len(numbers)))


for unit in units:
    unit["n"] = len(unit["times"]) * parts

# §6.5: one more at each packet; one less, if there is one, at each k·TDRAIN since the epoch. TDRAIN = TFRAME / NPACKETS / 1.10.
fullness, passed = 0, None
for unit in units:
    drain = T / unit["n"] / F(11, 10)
    most = 0
    for at in unit["times"]:
        now = floor(at / drain)
        if passed is not None:
            # The instants after the last packet, up to this one; none comes again where stamps of two processors differ.
            fullness = max(0, fullness - max(0, now - floor(last / drain)))
        fullness += 1
        most = max(most, fullness)
        passed, last = now, at if passed is None else max(last, at)
    unit["burst"] = most


def place(unit):
    """N of the frame that is nearest by its read schedule, and its alignment point; and those of FPT (RP 2110-25)."""
    at, half = unit["times"][0], T / 2 if unit["key"][1] else 0
    return floor((at - half - offset) / T + F(1, 2)), floor((at - half) / T + F(1, 2)), half


def reads(unit, linear):
    """TPR_j for all packets of the unit (§6.3, §6.4)."""
    number, _, _ = place(unit)
    start = number * T + offset
    if unit["key"][1]:
        start += T / 2 + (0 if linear else T / lines / 2)
    step = T / unit["n"] * (1 if linear else active)
    return [start + j * step for j in range(len(unit["times"]))]


def buffer(linear):
    """§6.6: one more at each packet, one less at each read. The emptiest before a packet, the fullest after it."""
    instants = []
    for unit in units:
        instants += reads(unit, linear)
    assert instants == sorted(instants), "schedules do not overlap"
    came, before, by, spans = 0, 0, 0, []
    for unit in units:
        least, most = None, None
        for at in unit["times"]:
            while before < len(instants) and instants[before] < at:
                before += 1
            by = max(by, before)
            while by < len(instants) and instants[by] <= at:
                by += 1
            least = came - before if least is None else min(least, came - before)
            came += 1
            most = came - by if most is None else max(most, came - by)
        spans.append([least, most])
    return spans


gapped, linear = (buffer(False), buffer(True)) if model == "raw" else (None, None)
previous = None
for at, unit in enumerate(units):
    first = unit["times"][0]
    told = {"at_ns": first, "packets": len(unit["times"]), "burst_most": unit["burst"]}
    told["gapped"] = gapped[at] if gapped else None
    told["linear"] = linear[at] if linear else None
    _, number, half = place(unit)
    if model == "raw":
        point = floor(number * T)
        told["first_packet_ns"] = first - floor(point + floor(half))
        # RTPenc, nearest to the arrival, against the truncated clock at the alignment point.
        near = first * CLOCK // NS
        ticks = near + (unit["key"][0] - near + 2**31) % 2**32 - 2**31
        told["rtp_offset_ticks"] = ticks - floor(number * T * CLOCK / NS) - (floor(T * CLOCK / NS / 2) if unit["key"][1] else 0)
        told["latency_ns"] = first - floor(F(ticks * NS, CLOCK))
    told["gap_ns"] = first - previous if previous is not None else 0
    told["whole"] = at == 0 or whole(at)
    previous = unit["times"][-1]
    print(json.dumps(told))

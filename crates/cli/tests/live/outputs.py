# A second reading of what was on the wire, for comparison with what we wrote of it: ancillary data (RFC 8331, ST 291-1) as
# text, and pictures (RFC 4175, ITU-R BT.709) as the numbers of a screen. Written from the texts, with nothing but integers
# and fractions.
#
#   outputs.py ancillary CAPTURE
#   outputs.py pictures CAPTURE SAMPLING DEPTH WIDTH HEIGHT SCAN STILLS
import pathlib
import struct
import sys
from fractions import Fraction as F


def packets(path):
    """RTP packets of a pcap of Ethernet and IPv4: marker, sequence number, timestamp, payload."""
    data = pathlib.Path(path).read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    at = 24
    while at + 16 <= len(data):
        kept = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        ip = frame[14:]
        if len(frame) < kept or ip[9] != 17:
            continue
        rtp = ip[(ip[0] & 15) * 4 + 8:]
        first, second, sequence, timestamp, _ = struct.unpack_from("!BBHII", rtp)
        assert first == 0x80
        yield second >> 7, sequence, timestamp, rtp[12:]


def bits(data, at, count):
    number = int.from_bytes(data, "big")
    return number >> (len(data) * 8 - at - count) & ((1 << count) - 1)


FIELDS = {0: "frame", 1: "wrong field", 2: "first field", 3: "second field"}
LINES = {0x7FF: "any line", 0x7FE: "before the picture", 0x7FD: "beyond line 2044"}


def parity(word):
    """ST 291-1: bit 8 makes the lower nine even, and bit 9 is the other of bit 8."""
    odd = bin(word & 0xFF).count("1") % 2
    return word >> 8 == (1 if odd else 2)


def ancillary(path):
    for _, _, timestamp, payload in packets(path):
        count, field = payload[4], payload[5] >> 6
        body, at = payload[8:], 0
        for _ in range(count):
            line = bits(body, at + 1, 11)
            word = lambda index: bits(body, at + 32 + index * 10, 10)
            did, sdid, length = word(0), word(1), word(2) & 0xFF
            words = [word(3 + index) for index in range(length)]
            checksum = word(3 + length)
            total = sum(it & 0x1FF for it in [did, sdid, word(2), *words]) & 0x1FF
            total |= (~total & 0x100) << 1
            # User data may be of nine or ten bits: only identifiers and count have to have parity.
            sound = checksum == total and all(map(parity, (did, sdid, word(2))))
            where = LINES.get(line, f"line {line}")
            data = "".join(f" {it & 0xFF:02x}" for it in words)
            wrong = "" if sound else " (parity or checksum wrong)"
            print(f"rtp={timestamp} {FIELDS[field]} {where} {did & 0xFF:02x}/{sdid & 0xFF:02x}:{data}{wrong}")
            used = 32 + (4 + length) * 10
            at += -(-used // 32) * 32


def frames(path, unpack, width, height, scan):
    """Pictures as rows of pixels, by timestamp; of two fields each other row."""
    open_frames, whole = {}, []
    for marker, _, timestamp, payload in packets(path):
        at, pieces = 2, []
        while True:
            length, row, offset = struct.unpack_from("!HHH", payload, at)
            pieces.append((length, row, offset & 0x7FFF))
            at += 6
            if not offset >> 15:
                break
        for length, row, offset in pieces:
            second, row = row >> 15, row & 0x7FFF
            field = open_frames.setdefault((timestamp, second), {})
            unpack(field, row, offset, payload[at:at + length])
            at += length
        if marker:
            whole.append((timestamp, second, open_frames.pop((timestamp, second))))
    if scan == "p":
        units = [[(field, 1, 0)] for _, _, field in whole]
    else:
        # A first field and the second that follows it.
        units = [[(one[2], 2, 0), (two[2], 2, 1)] for one, two in zip(whole, whole[1:]) if not one[1] and two[1]]
    for unit in units:
        if all(len(field) == width * height // len(unit) for field, _, _ in unit):
            yield {(y * step + first, x): pixel for field, step, first in unit for (y, x), pixel in field.items()}


def of_422_10(field, row, x, data):
    for at in range(0, len(data), 5):
        number = int.from_bytes(data[at:at + 5], "big")
        cb, y0, cr, y1 = (number >> shift & 0x3FF for shift in (30, 20, 10, 0))
        field[row, x], field[row, x + 1] = (y0, cb, cr), (y1, cb, cr)
        x += 2


def of_420_8(field, row, x, data):
    for at in range(0, len(data), 6):
        y00, y01, y10, y11, cb, cr = data[at:at + 6]
        field[row, x], field[row, x + 1] = (y00, cb, cr), (y01, cb, cr)
        field[row + 1, x], field[row + 1, x + 1] = (y10, cb, cr), (y11, cb, cr)
        x += 2


def of_rgb_8(field, row, x, data):
    for at in range(0, len(data), 3):
        field[row, x] = tuple(data[at:at + 3])
        x += 1


def shown(sampling, depth):
    """Narrow range (BT.709 §3.5) to the 8 bits of a screen, exactly: what each number may be rounded to."""
    unit = 1 << depth - 8
    tone = lambda number: F(number - 16 * unit, 219 * unit)
    difference = lambda number: F(number - 128 * unit, 224 * unit)
    red, blue = F(2126, 10000), F(722, 10000)

    def places(value):
        exact = min(max(value, F(0)), F(1)) * 255
        least = int(exact + F(1, 2) - F(1, 500))
        most = int(exact + F(1, 2) + F(1, 500))
        return {least, most}

    def convert(pixel):
        if sampling == "RGB":
            return [places(tone(number)) for number in pixel]
        y, cb, cr = tone(pixel[0]), difference(pixel[1]), difference(pixel[2])
        r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
        return [places(value) for value in (r, (y - red * r - blue * b) / (1 - red - blue), b)]

    known = {}
    return lambda pixel: known.setdefault(pixel, None) or known.__setitem__(pixel, convert(pixel)) or known[pixel]


def pictures(path, sampling, depth, width, height, scan, stills):
    from PIL import Image

    width, height, depth = int(width), int(height), int(depth)
    unpack = {("YCbCr-4:2:2", 10): of_422_10, ("YCbCr-4:2:0", 8): of_420_8, ("RGB", 8): of_rgb_8}[sampling, depth]
    screen = shown(sampling, depth)
    theirs = list(frames(path, unpack, width, height, scan))
    at, equal = 0, 0
    for still in sorted(pathlib.Path(stills).glob("*.png")):
        image = Image.open(still)
        assert (image.size, image.mode) == ((width, height), "RGB"), (image.size, image.mode)
        ours = image.load()

        def is_equal(frame):
            return all(
                number in allowed
                for (y, x), pixel in frame.items()
                for number, allowed in zip(ours[x, y], screen(pixel))
            )

        # Stills come in the order of the frames.
        while at < len(theirs) and not is_equal(theirs[at]):
            at += 1
        assert at < len(theirs), f"{still.name} is none of {len(theirs)} pictures"
        equal, at = equal + 1, at + 1
    colours = {pixel for pixel in theirs[0].values()}
    print(equal, len(colours))


{"ancillary": ancillary, "pictures": pictures}[sys.argv[1]](*sys.argv[2:])

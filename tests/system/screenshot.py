"""What a picture of the guest's screen says (QEMU's screendump): each cell is looked up in the kernel's font."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from font import read_font  # noqa: E402

ROWS, COLUMNS, WIDTH, HEIGHT = 25, 80, 8, 16
GLYPHS = read_font("/usr/share/seabios/vgabios-stdvga.bin")
CURSOR = bytes(13) + b"\xff\xff" + bytes(1)
PALETTE = [0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA,
           0x555555, 0x5555FF, 0x55FF55, 0x55FFFF, 0xFF5555, 0xFF55FF, 0xFFFF55, 0xFFFFFF]


def glyph_names():
    """{picture: character}; of several that look the same (blank) the one in ASCII."""
    names = {}
    for code in [*range(32, 127), *range(128, 255)]:
        names.setdefault(GLYPHS[code * HEIGHT:(code + 1) * HEIGHT], bytes([code]).decode("cp437"))
    return names


class Screenshot:
    """A PPM file (P6) of a screen of pixels, or of text."""

    def __init__(self, path):
        magic, size, most, self.pixels = path.read_bytes().split(b"\n", 3)
        self.width, self.height = map(int, size.split())
        assert magic == b"P6" and most == b"255" and len(self.pixels) == 3 * self.width * self.height
        self.scale = min(self.width // (COLUMNS * WIDTH), self.height // (ROWS * HEIGHT))
        self.left = (self.width - COLUMNS * WIDTH * self.scale) // 2
        self.top = (self.height - ROWS * HEIGHT * self.scale) // 2
        self.names = glyph_names()
        self.cells = [[self.cell(row, column) for column in range(COLUMNS)] for row in range(ROWS)]
        self.cursor = [(r, c) for r in range(ROWS) for c in range(COLUMNS) if self.cells[r][c][3]]

    def pixel(self, x, y):
        return int.from_bytes(self.pixels[3 * (y * self.width + x):][:3], "big")

    def cell(self, row, column):
        """Character, foreground, background (of the palette), whether the cursor is in it. A '\\ufffd' for what is
        no character of the font."""
        x0, y0 = self.left + column * WIDTH * self.scale, self.top + row * HEIGHT * self.scale
        seen = [[self.pixel(x0 + x * self.scale, y0 + y * self.scale) for x in range(WIDTH)] for y in range(HEIGHT)]
        colours = sorted({colour for line in seen for colour in line})
        if len(colours) > 2 or any(colour not in PALETTE for colour in colours):
            return "\ufffd", None, None, False
        for back in colours:
            bits = bytes(sum((colour != back) << (7 - x) for x, colour in enumerate(line)) for line in seen)
            front = next((PALETTE.index(colour) for colour in colours if colour != back), None)
            for cursor in (False, True):
                plain = bits
                if cursor:
                    if bits[13:15] != b"\xff\xff":
                        continue
                    plain = bits[:13] + bytes(2) + bits[15:]
                if plain in self.names:
                    return self.names[plain], front, PALETTE.index(back), cursor
        return "\ufffd", None, None, False

    def lines(self):
        return ["".join(cell[0] for cell in row).rstrip() for row in self.cells]

    def find(self, text):
        """(row, column) of where it stands, or None."""
        for row, line in enumerate(self.lines()):
            if text in line:
                return row, line.index(text)
        return None

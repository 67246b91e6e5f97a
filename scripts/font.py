"""scripts/font.py VGABIOS OUT.cpp: the kernel's font (drivers/font.hpp), out of a VGA BIOS.

SeaBIOS brings one for QEMU's cards; it holds the 8x16 characters of code page 437 that a PC shows in text
mode, which are in the public domain. So a screen of pixels looks as one of text does. Without VGABIOS, or if it
holds no font, the table is blank and kHasFont is false.
"""
import sys

HEIGHT = 16
# Character 1, a face; character 0 before it is blank.
FACE = bytes.fromhex('00007e81a58181bd9981817e00000000')


def font(bios):
    """256 characters of 16 bytes, or None."""
    at = bios.find(bytes(HEIGHT) + FACE)
    return bios[at:at + 256 * HEIGHT] if at >= 0 and at + 256 * HEIGHT <= len(bios) else None


def read_font(path):
    try:
        with open(path, 'rb') as file:
            return font(file.read())
    except OSError:
        return None


def main():
    found = read_font(sys.argv[1])
    if not found:
        print(f'font.py: no font in {sys.argv[1]}; the kernel cannot draw on a framebuffer', file=sys.stderr)
    glyphs = found or bytes(256 * HEIGHT)
    rows = (', '.join(f'0x{byte:02x}' for byte in glyphs[i:i + HEIGHT]) for i in range(0, len(glyphs), HEIGHT))
    with open(sys.argv[2], 'w') as out:
        out.write('// Made by scripts/font.py.\n#include "drivers/font.hpp"\n\n'
                  f'constinit const bool kHasFont = {"true" if found else "false"};\n'
                  'constinit const uint8_t kFont[256][kGlyphHeight] = {\n'
                  + ''.join(f'    {{{row}}},\n' for row in rows) + '};\n')


if __name__ == '__main__':
    main()

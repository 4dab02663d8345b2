"""The sections that a WebAssembly module or a component is made of."""


def sections(binary):
    """Kinds and contents of the sections of a module or component."""
    at = 8
    while at < len(binary):
        kind, at, length, shift = binary[at], at + 1, 0, 0
        while True:
            byte, at = binary[at], at + 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind, binary[at : at + length]
        at += length

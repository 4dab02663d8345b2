"""What a person says, and texts for the functions of the core module."""

import json

import core
from command import FACT, MB, NOTHING, OFFLINE, USAGE, begun, command, lives

def person(folder):
    """A line of 100 MB, arguments and variables as long as the system allows, many results."""
    begun(folder)
    command(folder, "remember", "x" * 120_000, code=USAGE, words="16384")
    command(folder, "ask", "x " * 60_000, code=USAGE, words="tokens")
    command(folder, "recall", "y " * 60_000, code=NOTHING)
    said = command(folder, "chat", stdin=b"x" * (100 * MB) + b"\nWhat does Ada drink?\n/quit\n")
    assert "oolong" in said, said[-300:]
    command(folder, *["x" * 1000] * 1500, code=USAGE)
    lives(folder)


def texts(folder):
    """Texts of 1 MiB and of 12 for the functions of the core module."""
    (folder / "config.toml").write_text(OFFLINE)
    agent = core.core(folder)
    for size in ((1 << 20) - 10, 1 << 20, 12 << 20):
        code, output = agent.text("clawft_init", "#" * size)
        assert code in (0, core.TEXT), (size, code, output)
        if code == 0:
            agent = core.core(folder)
    assert agent.text("clawft_init", OFFLINE)[0] == 0
    agent.run("remember", FACT)
    for text, codes in [
        ("x" * (1 << 20), (core.USAGE,)),
        ("x" * (12 << 20), (core.TEXT,)),
        ('["' + "x" * 1_000_000 + '"]', (core.USAGE,)),
        ('["remember","' + "x" * 1_000_000 + '"]', (core.USAGE,)),
        ('["recall","' + "x " * 500_000 + '"]', (core.NOTHING, core.FAILED)),
        ("[" + ",".join(['"a"'] * 250_000) + "]", (core.USAGE,)),
        ("[" + "0," * 500_000 + "0]", (core.USAGE,)),
    ]:
        code, output = agent.text("clawft_run", text)
        assert code in codes and len(output) > 10, (text[:20], code, output[:300])
        assert FACT in agent.run("recall", "oolong")

"""Answers of a provider."""

import core
from command import KEY, MB, PROVIDER, begun, command
from provider import TALKS, headers, provider, said, streamed

def answers(folder):
    """10 MB and 100 MB of an answer, in every way: the command, and one instance of the core module."""
    begun(folder)
    with provider(said("Miro")) as server:
        agent = core.core(folder, list(KEY.items()))
        agent.call("clawft_init_memory", 0, 16 << 20)
        assert agent.text("clawft_init", server.config)[0] == 0
        (folder / "config.toml").write_text(server.config)
        for talk in TALKS:
            for size in (10 * MB, 100 * MB):
                server.answers = [talk(size)]
                command(folder, "ask", "What now?", code=PROVIDER, **KEY)
                agent.refuses(core.PROVIDER, "", "clawft_run", "What now?")
                server.answers = [said("Miro sleeps")]
                assert "Miro sleeps" in agent.say("And now?"), talk
        for size in (100_000, MB):
            server.answers = [headers(size)]
            # A host may drop them; then an answer of nothing is none.
            command(folder, "ask", "What now?", code=PROVIDER, **KEY)
            agent.refuses(core.PROVIDER, "", "clawft_run", "What now?")
        server.answers = [said("Miro sleeps")]
        assert "Miro sleeps" in command(folder, "ask", "And now?", **KEY)
        assert "oolong" in agent.run("recall", "oolong")
        assert agent.memory.data_len(agent.store) <= 16 << 20


def kept(folder):
    """An answer as long as is kept of one, again and again in one session."""
    begun(folder)
    with provider(streamed(900_000)) as server:
        agent = core.core(folder, list(KEY.items()))
        assert agent.text("clawft_init", server.config)[0] == 0
        # Of brackets each could be the beginning of a citation.
        for letter in "xx[x[":
            server.answers = [streamed(900_000, letter)]
            code, output = agent.text("clawft_run", "Go on")
            assert code == 0 and len(output) > 900_000, (code, output[-300:])
        server.answers = [said("Miro sleeps")]
        assert "Miro sleeps" in agent.say("And now?")

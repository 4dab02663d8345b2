"""Answers in the vendors' wire formats, and what a client has to make of them."""

import json

TEXT = "Grüße aus Zürich: 𝄞 „zitiert“\n\tund \\ mehr. "
CALLS = [
    ("call_Ab-1", "memory_search", '{"query": "Schlüssel \\"unter\\" der Matte"}'),
    ("call_Ab-2", "time", "{}"),
]
INPUT, OUTPUT = 21, 34


def pieces(text, size):
    """The text in parts of so many characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


class OpenAi:
    """Chat completions."""

    path = "/chat/completions"
    stops = {"end": "stop", "tools": "tool_calls", "length": "length"}

    @staticmethod
    def whole(stop, calls):
        """An answer that comes whole."""
        message = {"role": "assistant", "content": TEXT, "refusal": None}
        if calls:
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for id, name, arguments in calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_795_564_800,
            "model": "a-model",
            "choices": [{**choice, "finish_reason": OpenAi.stops[stop]}],
            "usage": OpenAi.usage(),
        }

    @staticmethod
    def usage():
        """The count of tokens."""
        total = INPUT + OUTPUT
        return {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": total}

    @staticmethod
    def events(stop, calls):
        """The same in parts; calls take turns."""
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in pieces(TEXT, 9)]
        for index, (id, name, _) in enumerate(calls):
            function = {"name": name, "arguments": ""}
            call = {"index": index, "id": id, "type": "function", "function": function}
            deltas.append({"tool_calls": [call]})
        parts = [pieces(arguments, 11) for _, _, arguments in calls]
        for turn in range(max(map(len, parts), default=0)):
            for index, part in enumerate(parts):
                if turn < len(part):
                    function = {"arguments": part[turn]}
                    deltas.append({"tool_calls": [{"index": index, "function": function}]})
        chunks = [OpenAi.chunk(delta, None) for delta in deltas]
        chunks.append(OpenAi.chunk({}, OpenAi.stops[stop]))
        chunks.append({**OpenAi.chunk({}, None), "choices": [], "usage": OpenAi.usage()})
        return chunks

    @staticmethod
    def chunk(delta, reason):
        """One part."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {
            "id": "c-1",
            "object": "chat.completion.chunk",
            "created": 1_795_564_800,
            "model": "m",
            "choices": [choice],
            "usage": None,
        }

    @staticmethod
    def stream(events):
        """The bytes of a stream."""
        lines = [f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events]
        return ("".join(lines) + "data: [DONE]\n\n").encode()


class Anthropic:
    """Messages."""

    path = "/v1/messages"
    stops = {"end": "end_turn", "tools": "tool_use", "length": "max_tokens"}

    @staticmethod
    def message(content, stop, output):
        """A message."""
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "a-model",
            "content": content,
            "container": None,
            "stop_details": None,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": INPUT - 3,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 1,
                "cache_creation": None,
                "inference_geo": None,
                "output_tokens": output,
                "output_tokens_details": None,
                "server_tool_use": None,
                "service_tier": "standard",
            },
        }

    @staticmethod
    def whole(stop, calls):
        """An answer that comes whole."""
        content = [{"type": "text", "text": TEXT, "citations": None}]
        content += [
            {"type": "tool_use", "id": id, "name": name, "input": json.loads(arguments),
             "caller": {"type": "direct"}}
            for id, name, arguments in calls
        ]
        return Anthropic.message(content, Anthropic.stops[stop], OUTPUT)

    @staticmethod
    def events(stop, calls):
        """The same in parts; blocks interleave."""
        block = {"type": "text", "text": "", "citations": None}
        events = [
            {"type": "message_start", "message": Anthropic.message([], None, 1)},
            {"type": "content_block_start", "index": 0, "content_block": block},
        ]
        texts = [
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces(TEXT, 9)
        ]
        events.append(texts.pop(0))
        for index, (id, name, _) in enumerate(calls, 1):
            block = {"type": "tool_use", "id": id, "name": name, "input": {},
                     "caller": {"type": "direct"}}
            events.append({"type": "content_block_start", "index": index, "content_block": block})
        parts = [pieces(arguments, 11) for _, _, arguments in calls]
        for turn in range(max([len(texts), *map(len, parts)])):
            if turn < len(texts):
                events.append(texts[turn])
            for index, part in enumerate(parts, 1):
                if turn < len(part):
                    delta = {"type": "input_json_delta", "partial_json": part[turn]}
                    events.append({"type": "content_block_delta", "index": index, "delta": delta})
        for index in range(len(calls) + 1):
            events.append({"type": "content_block_stop", "index": index})
        usage = {
            "input_tokens": None,
            "cache_read_input_tokens": None,
            "cache_creation_input_tokens": None,
            "output_tokens": OUTPUT,
            "output_tokens_details": None,
            "server_tool_use": None,
        }
        delta = {"stop_reason": Anthropic.stops[stop], "stop_sequence": None,
                 "stop_details": None, "container": None}
        events.append({"type": "message_delta", "delta": delta, "usage": usage})
        events.append({"type": "message_stop"})
        return events

    @staticmethod
    def stream(events):
        """The bytes of a stream, with a ping and an event that nobody knows, as is announced."""
        lines = [
            f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
            for event in events
        ]
        lines.insert(2, 'event: ping\ndata: {"type": "ping"}\n\n')
        lines.insert(4, 'event: of_tomorrow\ndata: {"type": "of_tomorrow"}\n\n')
        return "".join(lines).encode()


WIRES = {"openai": OpenAi, "anthropic": Anthropic}


def expected(stop, calls):
    """What a client has to make of an answer."""
    return {
        "text": TEXT,
        "calls": [{"id": id, "name": name, "arguments": text} for id, name, text in calls],
        "stop": {"end": "End", "tools": "Tools", "length": "Length"}[stop],
        "input": INPUT,
        "output": OUTPUT,
    }

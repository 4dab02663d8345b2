//! What is sent to the vendors: the history in their forms, the key in its header.

use clawft_agent::provider::{
    Anthropic, Cited, Endpoint, Key, Message, Offline, OpenAi, Provider, Question, Tool, ToolCall,
    anthropic, openai,
};
use proptest::prelude::*;
use script::{KEY, Reply, Script};
use serde_json::{Value, json};

#[path = "providers/script.rs"]
mod script;

const TOOLS: [Tool; 1] = [Tool {
    name: "search",
    description: "Searches the memory.",
    parameters: r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}"#,
}];

fn history() -> Vec<Message> {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: "search".into(),
        arguments: arguments.into(),
    };
    let result = |id: &str, failed: bool| Message::Result {
        id: id.into(),
        name: "search".into(),
        content: format!("of {id}"),
        failed,
    };
    vec![
        Message::User("hello\n\"you\"".into()),
        Message::Assistant {
            text: "  ".into(),
            calls: vec![call("a:1", "{\"q\":1}"), call("b", "")],
        },
        result("a:1", false),
        result("b", true),
        Message::User("and?".into()),
        Message::Assistant { text: "one more".into(), calls: vec![call("c", "{\"q\": nonsense")] },
        result("c", true),
    ]
}

fn question<'a>(messages: &'a [Message], tools: &'a [Tool<'a>]) -> Question<'a> {
    Question {
        model: "a-model",
        system: "You are clawft.",
        memories: &[],
        messages,
        tools,
        must_call: false,
        max_tokens: 100,
        temperature: Some(0.7),
        stream: true,
    }
}

/// What came at the server: address, headers, body.
fn sent(
    provider: &dyn Provider,
    question: &Question<'_>,
) -> (String, Vec<(String, String)>, Value) {
    let script = Script::new([Reply::json(400, "{}")]);
    script.ask(provider, question);
    let seen = script.seen.take().remove(0);
    let body = serde_json::from_str(&seen.body).expect("a request is JSON");
    (seen.url, seen.headers, body)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_chat_completion_is_asked_for_as_openai_documents_it() {
    let history = history();
    let provider = OpenAi::new(Endpoint::new(openai::BASE_URL, Key::new(KEY), "OPENAI_API_KEY"));
    let (url, headers, body) = sent(&provider, &question(&history, &TOOLS));
    assert_eq!(url, "https://api.openai.com/v1/chat/completions");
    assert_eq!(header(&headers, "authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(header(&headers, "content-type"), Some("application/json"));
    assert_eq!(header(&headers, "accept"), Some("text/event-stream"));
    let call = |id: &str, arguments: &str| json!({"id":id,"type":"function","function":{"name":"search","arguments":arguments}});
    let expected = json!({
        "model": "a-model", "max_completion_tokens": 100, "temperature": 0.7, "stream": true,
        "stream_options": {"include_usage": true},
        "messages": [
            {"role":"system","content":"You are clawft."},
            {"role":"user","content":"hello\n\"you\""},
            {"role":"assistant","content":"  ","tool_calls":[call("a:1", "{\"q\":1}"), call("b", "{}")]},
            {"role":"tool","content":"of a:1","tool_call_id":"a:1"},
            {"role":"tool","content":"of b","tool_call_id":"b"},
            {"role":"user","content":"and?"},
            {"role":"assistant","content":"one more","tool_calls":[
                call("c", "{\"invalid\":\"{\\\"q\\\": nonsense\"}")
            ]},
            {"role":"tool","content":"of c","tool_call_id":"c"},
        ],
        "tools": [{"type":"function","function":{"name":"search","description":"Searches the memory.",
            "parameters":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}}}],
    });
    assert_eq!(body, expected);
}

/// Servers that parse the arguments of a call refuse a history with such ones for good.
#[test]
fn arguments_reach_a_chat_completion_as_an_object_whatever_the_model_wrote() {
    let openai = OpenAi::new(Endpoint::new("https://host.test/v1", None, "K"));
    let asked = |arguments: &str| -> Value {
        let call =
            ToolCall { id: "c".into(), name: "search".into(), arguments: arguments.to_owned() };
        let messages = [Message::Assistant { text: String::new(), calls: vec![call] }];
        let body = sent(&openai, &question(&messages, &TOOLS)).2;
        let call = &body["messages"][1]["tool_calls"][0]["function"]["arguments"];
        serde_json::from_str(call.as_str().unwrap()).unwrap()
    };
    for (arguments, object) in [
        (" {\"q\":[1]} ", json!({"q":[1]})),
        ("", json!({})),
        ("{\"q\":\"cut", json!({"invalid":"{\"q\":\"cut"})),
        ("[1]", json!({"invalid":"[1]"})),
        ("\"{}\"", json!({"invalid":"\"{}\""})),
        ("{} {}\n\u{1}", json!({"invalid":"{} {}\n\u{1}"})),
    ] {
        assert_eq!(asked(arguments), object, "{arguments}");
    }
    let long = "é\"".repeat(1 << 20);
    assert_eq!(asked(&long)["invalid"].as_str().map(str::len), Some(4095));
}

#[test]
fn a_call_that_must_be_is_asked_for_as_each_vendor_has_it() {
    let messages = [Message::User("hello".into())];
    let asked = |provider: &dyn Provider, must_call| {
        let question = Question { must_call, ..question(&messages, &TOOLS) };
        sent(provider, &question).2["tool_choice"].clone()
    };
    let openai = OpenAi::new(Endpoint::new(openai::BASE_URL, None, "OPENAI_API_KEY"));
    assert_eq!(asked(&openai, false), Value::Null);
    assert_eq!(asked(&openai, true), "required");
    let anthropic = Anthropic::new(Endpoint::new(anthropic::BASE_URL, None, "ANTHROPIC_API_KEY"));
    assert_eq!(asked(&anthropic, false), Value::Null);
    assert_eq!(asked(&anthropic, true), json!({"type": "any"}));
}

#[test]
fn other_servers_are_asked_with_the_name_that_they_know() {
    let messages = [Message::User("hello".into())];
    for (url, sent_to) in [
        ("http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions"),
        (
            "https://api.openai.com.evil.test/v1",
            "https://api.openai.com.evil.test/v1/chat/completions",
        ),
    ] {
        let provider = OpenAi::new(Endpoint::new(url, None, "OPENAI_API_KEY"));
        let plain =
            Question { system: "", temperature: None, stream: false, ..question(&messages, &[]) };
        let (url, headers, body) = sent(&provider, &plain);
        assert_eq!(url, sent_to);
        assert_eq!(header(&headers, "accept"), Some("application/json"));
        let expected = json!({"model":"a-model","max_tokens":100,"stream":false,
            "messages":[{"role":"user","content":"hello"}]});
        assert_eq!(body, expected);
    }
}

#[test]
fn a_message_is_asked_for_as_anthropic_documents_it() {
    let history = history();
    for base in ["https://host.test", "https://host.test/v1"] {
        let provider = Anthropic::new(Endpoint::new(base, Key::new(KEY), "ANTHROPIC_API_KEY"));
        let (url, headers, body) = sent(&provider, &question(&history, &TOOLS));
        assert_eq!(url, "https://host.test/v1/messages");
        assert_eq!(header(&headers, "x-api-key"), Some(KEY));
        assert_eq!(header(&headers, "anthropic-version"), Some("2023-06-01"));
        assert_eq!(header(&headers, "authorization"), None);
        let call = |id: &str, input: Value| json!({"type":"tool_use","id":id,"name":"search","input":input});
        let result = |id: &str, of: &str, failed: bool| json!({"type":"tool_result","tool_use_id":id,"content":of,"is_error":failed});
        let text = |text: &str| json!({"type":"text","text":text});
        let expected = json!({
            "model": "a-model", "max_tokens": 100, "temperature": 0.7, "stream": true,
            "system": "You are clawft.",
            "messages": [
                {"role":"user","content":[text("hello\n\"you\"")]},
                {"role":"assistant","content":[call("a_1", json!({"q":1})), call("b", json!({}))]},
                {"role":"user","content":[
                    result("a_1", "of a:1", false), result("b", "of b", true), text("and?")
                ]},
                {"role":"assistant","content":[
                    text("one more"), call("c", json!({"invalid":"{\"q\": nonsense"}))
                ]},
                {"role":"user","content":[result("c", "of c", true)]},
            ],
            "tools": [{"name":"search","description":"Searches the memory.",
                "input_schema":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}}],
        });
        assert_eq!(body, expected);
    }
}

#[test]
fn a_temperature_is_kept_within_what_the_vendor_takes() {
    let messages = [Message::User("hello".into())];
    let openai = OpenAi::new(Endpoint::new("https://host.test/v1", None, "K"));
    let anthropic = Anthropic::new(Endpoint::new("https://host.test", None, "K"));
    for (asked, of_openai, of_anthropic) in [
        (0.0, 0.0, 0.0),
        (0.333, 0.33, 0.33),
        (2.0, 2.0, 1.0),
        (9.0, 2.0, 1.0),
        (f32::NAN, 0.0, 0.0),
    ] {
        let question = Question { temperature: Some(asked), ..question(&messages, &[]) };
        assert_eq!(sent(&openai, &question).2["temperature"], of_openai);
        assert_eq!(sent(&anthropic, &question).2["temperature"], of_anthropic);
    }
}

#[test]
fn without_a_model_the_memories_are_cited() {
    let messages = [Message::User("where is the key?".into())];
    let cited = |id: u64, text: &str| Cited { id, date: "2026-01-02".into(), text: text.into() };
    let memories = [cited(7, "The key is under the mat."), cited(9, "The mat is blue.")];
    let question = Question { memories: &memories, ..question(&messages, &TOOLS) };
    let outcome = Script::new([]).ask(&Offline, &question);
    let answer = outcome.answer.expect("it needs nobody");
    assert_eq!(
        answer.text,
        "No model was asked: this is offline. Memory holds:\n\
         - The key is under the mat. [7, 2026-01-02]\n- The mat is blue. [9, 2026-01-02]\n"
    );
    assert_eq!(outcome.shown.concat(), answer.text);
    let stopped = Script::new([]).ask_until(&Offline, &question, 2);
    assert_eq!(stopped.answer.expect("it needs nobody").text, stopped.shown.concat());
    assert_eq!(stopped.shown.len(), 2);

    let nothing = Question { memories: &[], ..question };
    let answer = Script::new([]).ask(&Offline, &nothing).answer.expect("it needs nobody");
    assert_eq!(
        answer.text,
        "No model was asked: this is offline. Memory holds nothing about this.\n"
    );
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let text = || "[ \n\ta-zäß\"\\\\\u{1}𝄞]{0,12}";
    let call =
        (text(), "[a-z]{1,5}", prop_oneof![Just("{}".to_string()), text().prop_map(String::from)])
            .prop_map(|(id, name, arguments)| ToolCall { id, name, arguments });
    let message = prop_oneof![
        text().prop_map(Message::User),
        (text(), prop::collection::vec(call, 0..3))
            .prop_map(|(text, calls)| Message::Assistant { text, calls }),
        (text(), text(), any::<bool>()).prop_map(|(id, content, failed)| Message::Result {
            id,
            name: "f".into(),
            content,
            failed
        }),
    ];
    prop::collection::vec(message, 0..12)
}

proptest! {
    #[test]
    fn any_history_is_sound_json_and_in_turns(messages in messages()) {
        let question = question(&messages, &TOOLS);
        let openai = OpenAi::new(Endpoint::new("https://host.test/v1", None, "K"));
        let (.., body) = sent(&openai, &question);
        prop_assert_eq!(body["messages"].as_array().map(Vec::len), Some(messages.len() + 1));

        let anthropic = Anthropic::new(Endpoint::new("https://host.test", None, "K"));
        let (.., body) = sent(&anthropic, &question);
        let turns = body["messages"].as_array().expect("a list");
        for two in turns.windows(2) {
            prop_assert_ne!(&two[0]["role"], &two[1]["role"]);
        }
        for turn in turns {
            let blocks = turn["content"].as_array().expect("a list");
            prop_assert!(!blocks.is_empty());
            for block in blocks {
                let sound = match block["type"].as_str() {
                    Some("text") => !block["text"].as_str().unwrap_or("").trim().is_empty(),
                    Some("tool_use") => block["input"].is_object(),
                    Some("tool_result") => turn["role"] == "user",
                    _ => false,
                };
                prop_assert!(sound, "{}", block);
            }
            let is_result = |block: &&Value| block["type"] == "tool_result";
            let results = blocks.iter().take_while(is_result).count();
            prop_assert_eq!(results, blocks.iter().filter(is_result).count(), "results come first");
        }
        // Every text that is more than blanks is there, in its order.
        let texts = messages.iter().filter_map(|message| match message {
            Message::User(text) | Message::Assistant { text, .. } => Some(text.as_str()),
            Message::Result { .. } => None,
        });
        let texts: Vec<&str> = texts.filter(|text| !text.trim().is_empty()).collect();
        let found: Vec<&str> = turns
            .iter()
            .flat_map(|turn| turn["content"].as_array().expect("a list"))
            .filter_map(|block| block["text"].as_str())
            .collect();
        prop_assert_eq!(found, texts);
    }
}

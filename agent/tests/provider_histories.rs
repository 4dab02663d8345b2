//! Histories of any form, as both vendors are told them: in turns, with names and calls that they take.

use clawft_agent::provider::{Anthropic, Endpoint, Message, OpenAi, Question, ToolCall};
use proptest::prelude::*;
use question::{TOOLS, question, sent};
use serde_json::{Value, json};

#[path = "providers/question.rs"]
mod question;
#[path = "providers/script.rs"]
mod script;

/// The templates of Mistral and Gemma take nothing else, and vLLM refuses the request.
#[test]
fn a_session_with_gaps_is_told_in_turns() {
    let call = ToolCall { id: "i".repeat(50), name: "a b/c".into(), arguments: "{}".into() };
    let result = |id: &str| Message::Result {
        id: id.into(),
        name: "a b/c".into(),
        content: "9".into(),
        failed: false,
    };
    let user = |text: &str| Message::User(text.into());
    let assistant =
        |text: &str, calls: Vec<ToolCall>| Message::Assistant { text: text.into(), calls };
    let messages = [
        user("one"),
        assistant("", vec![]),
        user("two"),
        assistant("", vec![call.clone()]),
        result(&call.id),
        user("three"),
    ];
    let openai = OpenAi::new(Endpoint::new("https://host.test/v1", None, "K"));
    let (.., body) = sent(&openai, &Question { system: "", ..question(&messages, &TOOLS) });
    let id = "i".repeat(40);
    let expected = json!([
        {"role":"user","content":"one\n\ntwo"},
        {"role":"assistant","content":"","tool_calls":[
            {"id":id,"type":"function","function":{"name":"a_b_c","arguments":"{}"}}
        ]},
        {"role":"tool","content":"9","tool_call_id":id},
        {"role":"assistant","content":"(no answer)"},
        {"role":"user","content":"three"},
    ]);
    assert_eq!(body["messages"], expected);
}

/// What both vendors take for the name of a tool.
fn is_name(name: &Value) -> bool {
    let name = name.as_str().unwrap_or("");
    let is_accepted = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(is_accepted)
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let text = || "[ \n\ta-zäß\"\\\\\u{1}𝄞]{0,12}";
    let call = (
        "[a-z:]{0,60}",
        "[a-z. ä-]{0,80}",
        prop_oneof![Just("{}".to_string()), text().prop_map(String::from)],
    )
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
        let told = body["messages"].as_array().expect("a list");
        for two in told[1..].windows(2) {
            let roles = [two[0]["role"].as_str(), two[1]["role"].as_str()];
            prop_assert!(!matches!(roles, [Some("user" | "tool"), Some("user")]), "{:?}", two);
        }
        for message in told {
            let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
            let is_told = !message["content"].as_str().expect("a text").trim().is_empty();
            prop_assert!(is_told || !calls.is_empty() || message["role"] == "tool", "{}", message);
            for call in calls {
                prop_assert!(call["id"].as_str().expect("a text").len() <= 40);
                prop_assert!(is_name(&call["function"]["name"]), "{}", call);
            }
        }

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
                    Some("tool_use") => block["input"].is_object() && is_name(&block["name"]),
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

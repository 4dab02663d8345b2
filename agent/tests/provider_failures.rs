//! What goes wrong on the way to a model: each ends in time, with a sentence, without the key.

use clawft_agent::platform::HttpFailure;
use clawft_agent::provider::{Anthropic, Endpoint, Key, Message, OpenAi, Provider, Question, Stop};
use script::{End, KEY, Outcome, Reply, START, Script};

#[path = "providers/script.rs"]
mod script;

const OK: &str = r#"{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}"#;
const EVENTS: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"fine\"}}]}\n\n\
    data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn openai() -> OpenAi {
    OpenAi::new(Endpoint::new("https://host.test/v1", Key::new(KEY), "OPENAI_API_KEY"))
}

fn anthropic() -> Anthropic {
    Anthropic::new(Endpoint::new("https://host.test", Key::new(KEY), "ANTHROPIC_API_KEY"))
}

fn question(stream: bool, ask: &mut dyn FnMut(&Question<'_>)) {
    let messages = [Message::User("hello".into())];
    ask(&Question {
        model: "a-model",
        system: "",
        memories: &[],
        messages: &messages,
        tools: &[],
        must_call: false,
        max_tokens: 100,
        temperature: None,
        stream,
    });
}

fn ask(script: &Script, provider: &dyn Provider, stream: bool) -> Outcome {
    let mut outcome = None;
    question(stream, &mut |question| outcome = Some(script.ask(provider, question)));
    outcome.expect("it was asked")
}

/// A failure, then a sound answer.
fn once(failure: Reply) -> Script {
    Script::new([failure, Reply::json(200, OK)])
}

#[test]
fn too_many_requests_are_repeated_when_the_server_says() {
    let date = "Wed, 25 Nov 2026 00:00:09 GMT";
    let cases =
        [("retry-after", "3", 3_000), ("retry-after-ms", "250", 250), ("retry-after", date, 9_000)];
    for (name, value, wait) in cases {
        let script = once(Reply::json(429, "{}").header(name, value));
        let outcome = ask(&script, &openai(), false);
        assert_eq!(outcome.answer.expect("the second attempt").text, "fine");
        let waited = script.waits.borrow()[0];
        assert!((wait..wait + 200).contains(&waited), "{value}: waited {waited}");
    }
    assert_eq!(START / 86_400_000 * 86_400_000, START, "the clock begins at midnight");
}

#[test]
fn a_wait_longer_than_a_minute_is_told_instead() {
    let script = Script::new([Reply::json(429, "{}").header("retry-after", "3600")]);
    let outcome = ask(&script, &openai(), false);
    assert_eq!(
        outcome.sentence(),
        "host.test gets too many requests from this account: it does not say why (status 429); \
         it asks to wait 3600 s"
    );
    assert!(script.waits.borrow().is_empty());
}

#[test]
fn servers_that_fail_get_three_attempts_with_growing_waits() {
    for status in [408, 409, 500, 502, 503, 504, 529] {
        let refusal = r#"{"error":{"message":"try\n\u001b[31m later","type":"server_error"}}"#;
        let script = Script::new(vec![Reply::json(status, refusal); 3]);
        let outcome = ask(&script, &openai(), false);
        let end = format!("(status {status}) (tried 3 times)");
        assert!(outcome.sentence().ends_with(&end), "{}", outcome.sentence());
        assert!(outcome.sentence().contains(": try [31m later"), "{}", outcome.sentence());
        assert_eq!(outcome.answer.unwrap_err().status, Some(status));
        let waits = script.waits.borrow();
        assert!((375..=500).contains(&waits[0]) && (750..=1_000).contains(&waits[1]), "{waits:?}");
        assert_eq!(waits.len(), 2);
        let seen = script.seen.borrow();
        assert!(seen[0].body == seen[1].body && seen[1].body == seen[2].body);
        assert!(seen[0].total > seen[1].total && seen[1].total > seen[2].total);
    }
}

#[test]
fn a_refusal_is_never_repeated() {
    for status in [400, 402, 403, 404, 413, 422] {
        let refusal = r#"{"error":{"message":"no such thing","code":"nope"}}"#;
        let script = Script::new([Reply::json(status, refusal).header("retry-after", "1")]);
        let outcome = ask(&script, &openai(), false);
        assert!(outcome.sentence().contains("no such thing"), "{}", outcome.sentence());
        assert!(script.waits.borrow().is_empty());
    }
}

#[test]
fn the_server_may_say_otherwise() {
    let never = Reply::json(500, "{}").header("x-should-retry", "false");
    assert!(ask(&Script::new([never]), &openai(), false).answer.is_err());
    let again = Reply::json(400, "{}").header("x-should-retry", "true");
    assert!(ask(&once(again), &openai(), false).answer.is_ok());
}

#[test]
fn a_refused_key_names_its_variable_and_nothing_of_itself() {
    let refusal = format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}"}}}}"#);
    for (provider, variable) in [
        (&openai() as &dyn Provider, "OPENAI_API_KEY"),
        (&anthropic() as &dyn Provider, "ANTHROPIC_API_KEY"),
    ] {
        let script = Script::new([Reply::json(401, refusal.clone())]);
        let sentence = format!(
            "host.test refused the key: look at the environment variable {variable} (status 401)"
        );
        assert_eq!(ask(&script, provider, true).sentence(), sentence);
    }
    // Elsewhere its words are kept, without the key.
    let outcome = ask(&Script::new([Reply::json(400, refusal)]), &openai(), false);
    assert!(outcome.sentence().contains("provided: (key)"), "{}", outcome.sentence());
    // In the middle of a stream too.
    let event = format!("data: {{\"error\":\"bad key {KEY}\"}}\n\n");
    let outcome = ask(&Script::new([Reply::events(event)]), &openai(), true);
    assert!(outcome.sentence().contains("bad key (key)"), "{}", outcome.sentence());

    let without = OpenAi::new(Endpoint::new("http://host.test/v1", None, "OPENAI_API_KEY"));
    let script = Script::new([Reply::json(401, "{}")]);
    assert_eq!(
        ask(&script, &without, false).sentence(),
        "host.test wants a key: set the environment variable OPENAI_API_KEY (status 401)"
    );
    assert!(script.seen.borrow()[0].headers.iter().all(|(name, _)| name != "authorization"));
}

#[test]
fn a_key_that_cannot_be_one_is_not_sent() {
    for key in ["sk-1\r\nx-evil: 1", "sk 1", "sk-ä"] {
        let endpoint = Endpoint::new("https://host.test/v1", Key::new(key), "OPENAI_API_KEY");
        assert!(!format!("{endpoint:?}").contains("sk"), "{endpoint:?}");
        let outcome = ask(&Script::new([]), &OpenAi::new(endpoint), false);
        assert!(outcome.sentence().starts_with("OPENAI_API_KEY holds a character"));
        assert!(!outcome.sentence().contains("sk"));
    }
    assert!(Key::new(" \n").is_none());
}

#[test]
fn an_account_without_credit_is_not_asked_again() {
    let refusal =
        r#"{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let reply =
        Reply::json(429, refusal).header("retry-after", "1").header("x-should-retry", "true");
    assert_eq!(
        ask(&Script::new([reply]), &openai(), false).sentence(),
        "host.test says that the account has no credit left: look at its billing page (status 429)"
    );
}

#[test]
fn anthropics_429_without_a_wait_is_a_spending_limit() {
    let refusal = r#"{"type":"error","error":{"type":"rate_limit_error","message":"monthly"}}"#;
    let own = Anthropic::new(Endpoint::new(
        "https://api.anthropic.com",
        Key::new(KEY),
        "ANTHROPIC_API_KEY",
    ));
    assert_eq!(
        ask(&Script::new([Reply::json(429, refusal)]), &own, false).sentence(),
        "api.anthropic.com says that the account has reached its spending limit: monthly (status 429)"
    );
    // Of another server of this form it is not known.
    assert_eq!(
        ask(&Script::new(vec![Reply::json(429, refusal); 3]), &anthropic(), false).sentence(),
        "host.test gets too many requests from this account: monthly (status 429) (tried 3 times)"
    );
    // With one it is a limit of the moment.
    let whole = r#"{"content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn"}"#;
    let script = Script::new([
        Reply::json(429, refusal).header("retry-after", "1"),
        Reply::json(529, refusal),
        Reply::json(200, whole),
    ]);
    assert_eq!(ask(&script, &anthropic(), false).answer.expect("the third").text, "fine");
}

#[test]
fn a_connection_that_fails_is_tried_again_where_that_can_help() {
    for failure in [HttpFailure::Unreachable, HttpFailure::Timeout, HttpFailure::Broken] {
        let script = Script::new(vec![Reply::Fails(failure); 3]);
        let outcome = ask(&script, &openai(), true);
        assert_eq!(
            outcome.sentence(),
            format!("nobody listens at host.test ({failure:?}) (tried 3 times)")
        );
        assert!(ask(&once(Reply::Fails(failure)), &openai(), true).answer.is_ok());
    }
    for failure in [HttpFailure::Denied, HttpFailure::Tls, HttpFailure::BadUrl] {
        let script = Script::new([Reply::Fails(failure)]);
        assert!(!ask(&script, &openai(), true).sentence().contains("tried"));
    }
}

#[test]
fn a_stream_that_stops_is_an_error_and_keeps_what_came() {
    let text = EVENTS.find("fine").expect("it is there");
    for end in [End::Close, End::Fails(HttpFailure::Timeout), End::Fails(HttpFailure::Broken)] {
        // Within the line that has the text: nothing was shown, so it is asked again.
        let early = Reply::events(&EVENTS[..text + 6]).end(end.clone());
        let outcome = ask(&Script::new([early, Reply::events(EVENTS)]), &openai(), true);
        assert_eq!(outcome.shown, ["fine"]);
        assert_eq!(outcome.answer.expect("the second attempt").text, "fine");
        // After it: nothing is repeated.
        let late = Reply::events(&EVENTS[..text + 20]).end(end);
        let outcome = ask(&Script::new([late]), &openai(), true);
        assert_eq!(outcome.shown, ["fine"]);
        assert_eq!(outcome.answer.expect_err("it is not whole").partial, "fine");
    }
    let outcome = ask(&Script::new(vec![Reply::events("data: [DONE]\n\n"); 3]), &openai(), true);
    assert_eq!(
        outcome.sentence(),
        "host.test ended the answer before it was complete (tried 3 times)"
    );
}

/// vLLM ends a request that it drops with `abort`, DeepSeek with the other.
#[test]
fn an_answer_that_the_server_dropped_is_no_whole_one() {
    for reason in ["abort", "insufficient_system_resource", "error"] {
        let dropped = EVENTS.replace("stop", reason);
        let outcome = ask(&Script::new([Reply::events(dropped)]), &openai(), true);
        let error = outcome.answer.expect_err("it is not whole");
        assert_eq!(
            (&*error.partial, &*error.sentence),
            ("fine", "the provider ended the answer with an error")
        );
    }
}

/// OpenRouter answers 200 once the model has begun, whatever comes of it.
#[test]
fn an_error_in_place_of_an_answer_is_repeated_where_that_can_help() {
    let error = |code: u16| {
        Reply::json(
            200,
            format!(r#"{{"error":{{"code":{code},"message":"Provider returned error"}}}}"#),
        )
    };
    assert_eq!(ask(&once(error(502)), &openai(), false).answer.expect("the second").text, "fine");
    let outcome = ask(&Script::new([error(400)]), &openai(), false);
    assert_eq!(outcome.sentence(), "host.test answered with an error: Provider returned error");
}

#[test]
fn an_answer_with_its_reason_is_whole_whatever_follows() {
    let end = EVENTS.find("data: [DONE]").expect("it is there");
    for how in [End::Close, End::Fails(HttpFailure::Timeout)] {
        let reply = Reply::events(&EVENTS[..end]).end(how);
        let answer = ask(&Script::new([reply]), &openai(), true).answer.expect("it is whole");
        assert_eq!((answer.text.as_str(), answer.stop), ("fine", Stop::End));
    }
}

#[test]
fn a_stream_that_drips_for_ever_ends_with_the_total_time() {
    let reply = Reply::events("").end(End::Drips(b": still here\n"));
    let outcome = ask(&Script::new([reply]), &openai(), true);
    assert_eq!(outcome.sentence(), "host.test did not end its answer within the time that it had");
}

#[test]
fn all_attempts_together_have_an_end() {
    let mut endpoint = Endpoint::new("https://host.test/v1", Key::new(KEY), "OPENAI_API_KEY");
    endpoint.timeouts.total = 700;
    let script = Script::new(vec![Reply::json(500, "{}"); 2]);
    assert!(ask(&script, &OpenAi::new(endpoint), false).answer.is_err());
    assert_eq!(script.waits.borrow().len(), 1, "a second wait would be too long");
}

#[test]
fn invalid_json_is_said_to_be_so() {
    let page = Reply::says(200, "text/html", "<html>sign in</html>");
    assert_eq!(
        ask(&Script::new([page]), &openai(), false).sentence(),
        "host.test answered with what is no valid JSON: is the provider's base_url right?"
    );
    for other in ["[]", "{}", r#"{"choices":[]}"#, r#"{"choices":[{}]}"#, "3"] {
        let outcome = ask(&Script::new([Reply::json(200, other)]), &openai(), false);
        assert!(outcome.sentence().contains("no chat completion"), "{other}");
        let outcome = ask(&Script::new([Reply::json(200, other)]), &anthropic(), false);
        assert!(outcome.sentence().contains("no message"), "{other}");
    }
    let half = EVENTS.replace("\"finish_reason\":\"stop\"}", "");
    assert_eq!(
        ask(&Script::new([Reply::events(half)]), &openai(), true).sentence(),
        "host.test sent a part of the answer that is no valid JSON"
    );
}

#[test]
fn ten_megabytes_end_with_a_sentence() {
    let text = "x".repeat(10 << 20);
    let whole = OK.replace("fine", &text);
    assert_eq!(
        ask(&Script::new([Reply::json(200, whole)]), &openai(), false).sentence(),
        "host.test sent more than is read of an answer: 2 MB"
    );
    let one = EVENTS.replace("fine", &text);
    assert_eq!(
        ask(&Script::new([Reply::events(one)]), &openai(), true).sentence(),
        "host.test sent more than is read of a part of a stream: 1 MB"
    );
    let part = "data: {\"choices\":[{\"delta\":{\"content\":\"0123456789abcdef\"}}]}\n\n";
    let many = part.repeat((10 << 20) / 16);
    let outcome = ask(&Script::new([Reply::events(many)]), &openai(), true);
    assert_eq!(outcome.sentence(), "the answer is longer than the 1024 KB that are kept of one");
    assert_eq!(outcome.answer.unwrap_err().partial.len(), 1 << 20);
    let silence = Reply::events(": nothing\n".repeat((70 << 20) / 10));
    assert_eq!(
        ask(&Script::new([silence]), &openai(), true).sentence(),
        "host.test sent more than is read of a stream: 64 MB"
    );
}

#[test]
fn an_error_within_a_stream_is_told_apart() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":\
        {\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let script = Script::new(vec![Reply::events(overloaded); 3]);
    assert_eq!(
        ask(&script, &anthropic(), true).sentence(),
        "host.test ended the answer with an error: Overloaded (tried 3 times)"
    );
    let invalid = overloaded.replace("overloaded_error", "invalid_request_error");
    let script = Script::new([Reply::events(invalid)]);
    assert!(!ask(&script, &anthropic(), true).sentence().contains("tried"));
}

#[test]
fn a_redirect_is_not_followed() {
    let reply = Reply::json(307, "").header("location", "https://user:pw@other.test/v1?k=1");
    assert_eq!(
        ask(&Script::new([reply]), &openai(), false).sentence(),
        "host.test sends elsewhere, where no key goes: put the right base_url into the config, at \
         other.test (status 307)"
    );
}

#[test]
fn a_base_url_that_is_none_is_said_to_be_so() {
    for url in ["", "host.test/v1", "ftp://host.test", "http://", "file:///etc/passwd"] {
        let outcome =
            ask(&Script::new([]), &OpenAi::new(Endpoint::new(url, None, "OPENAI_API_KEY")), false);
        assert!(outcome.sentence().contains("base_url has to be"), "{url}");
    }
    let with = Endpoint::new("http://name:secret@host.test/v1/", None, "OPENAI_API_KEY");
    let script = Script::new([Reply::json(400, "{}")]);
    let outcome = ask(&script, &OpenAi::new(with), false);
    assert!(outcome.sentence().starts_with("host.test refused"), "{}", outcome.sentence());
}

#[test]
fn a_person_who_has_had_enough_gets_what_has_come() {
    let events = EVENTS.replace(
        "data: {\"choices\":[{\"delta\":{},",
        "data: {\"choices\":[{\"delta\":{\"content\":\" and more\",\"tool_calls\":[{\"index\":0,\
         \"id\":\"a\",\"function\":{\"name\":\"forget\",\"arguments\":\"{\"}}]},",
    );
    question(true, &mut |question| {
        let script = Script::new([Reply::events(events.clone())]);
        let outcome = script.ask_until(&openai(), question, 1);
        let answer = outcome.answer.expect("it is an answer");
        assert_eq!((answer.text.as_str(), answer.stop), ("fine", Stop::End));
        let outcome =
            Script::new([Reply::events(events.clone())]).ask_until(&openai(), question, 2);
        assert!(outcome.answer.expect("it is an answer").calls.is_empty(), "it may be half");
    });
}

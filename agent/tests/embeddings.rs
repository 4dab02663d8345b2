//! The embeddings endpoint: batches, order, limits, and what servers do wrong.

#[path = "providers/script.rs"]
mod script;

use clawft_agent::embed::{self, Choice, Embedder};
use clawft_agent::platform::HttpFailure;
use clawft_agent::provider::{Embeddings, Endpoint, Key};
use script::outside::Nowhere;
use script::{KEY, Reply, Script};
use serde_json::{Value, json};

fn endpoint() -> Endpoint {
    Endpoint::new("https://host.test/v1/", Key::new(KEY), "OPENAI_API_KEY")
}

/// An answer with the vectors `[first, 1, 0]`, in the order given.
fn vectors(entries: &[(usize, f64)]) -> Reply {
    let data: Vec<Value> = entries
        .iter()
        .map(|(index, first)| json!({"index": index, "embedding": [first, 1, 0]}))
        .collect();
    Reply::json(200, json!({"object": "list", "data": data}).to_string())
}

/// What comes of two texts when the server answers so.
fn outcome(replies: impl IntoIterator<Item = Reply>) -> (Result<Vec<f32>, String>, Script) {
    let script = Script::new(replies);
    let platform = Nowhere.with(&script, &script);
    let mut found = vec![0.0; 6];
    let outcome = Embeddings::open(&platform, endpoint(), "small", 3, true)
        .and_then(|embedder| embedder.embed(&platform, &["one", "two"], &mut found))
        .map_err(|error| {
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains(KEY), "the key is in {printed}");
            error.into_sentence()
        });
    (outcome.map(|()| found), script)
}

#[test]
fn vectors_are_put_in_order_and_get_length_one() {
    let (found, script) = outcome([vectors(&[(1, 0.0), (0, 1.0)])]);
    let half = 0.5f32.sqrt();
    for (found, expected) in found.unwrap().iter().zip([half, half, 0.0, 0.0, 1.0, 0.0]) {
        assert!((found - expected).abs() < 1e-6);
    }
    let seen = &script.seen.borrow()[0];
    assert_eq!(seen.url, "https://host.test/v1/embeddings");
    assert!(seen.headers.contains(&("authorization".into(), format!("Bearer {KEY}"))));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let expected = json!({
        "model": "small", "input": ["one", "two"], "encoding_format": "float", "dimensions": 3
    });
    assert_eq!(body, expected);
}

#[test]
fn servers_that_do_not_number_are_believed() {
    let body = json!({"data": [{"embedding": [2, 0, 0]}, {"embedding": [0, 0, -3]}]});
    let (found, _) = outcome([Reply::json(200, body.to_string())]);
    assert_eq!(found.unwrap(), [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
}

#[test]
fn what_is_no_answer_ends_with_a_sentence() {
    let nan = json!({"data": [{"embedding": [null, 0, 1]}, {"embedding": [0, 0, 1]}]});
    let zero = json!({"data": [{"embedding": [0, 0, 0]}, {"embedding": [0, 0, 1]}]});
    let long = json!({"data": [{"embedding": [1, 2, 3, 4]}, {"embedding": [0, 0, 1]}]});
    let huge = "{\"data\":[{\"embedding\":[1e39,0,0]},{\"embedding\":[0,0,1]}]}";
    for (reply, part) in [
        (vectors(&[(0, 1.0)]), "sent 1 for 2 texts"),
        (vectors(&[(0, 1.0), (1, 1.0), (2, 1.0)]), "sent 3 for 2 texts"),
        (vectors(&[(0, 1.0), (0, 1.0)]), "gave two the same number"),
        (vectors(&[(0, 1.0), (2, 1.0)]), "numbered one 2 of 2"),
        (vectors(&[(0, 1.0), (usize::MAX, 1.0)]), "numbered one 18446744073709551615 of 2"),
        (Reply::json(200, nan.to_string()), "no direction"),
        (Reply::json(200, zero.to_string()), "no direction"),
        (Reply::json(200, huge), "no direction"),
        (Reply::json(200, long.to_string()), "4 components where 3 were expected"),
        (Reply::json(200, "{}"), "sent 0 for 2 texts"),
        (Reply::json(200, "[1,2"), "no valid JSON"),
        (Reply::events("data: {}\n\n"), "sent events"),
        (
            Reply::json(401, format!("{{\"error\":{{\"message\":\"bad {KEY}\"}}}}")),
            "OPENAI_API_KEY",
        ),
        (Reply::json(404, "{\"error\":{\"message\":\"no\"}}"), "knows no such model"),
        (Reply::json(302, ""), "sends elsewhere"),
    ] {
        let (found, script) = outcome([reply]);
        let sentence = found.unwrap_err();
        assert!(sentence.contains(part) && sentence.contains("host.test"), "{sentence}: {part}");
        assert_eq!(script.waits.borrow().len(), 0);
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    let good = || vectors(&[(0, 1.0), (1, 0.0)]);
    let (found, script) = outcome([
        Reply::json(429, "{}").header("retry-after", "2"),
        Reply::Fails(HttpFailure::Unreachable),
        good(),
    ]);
    assert!(found.is_ok());
    assert!(script.waits.borrow()[0] >= 2_000);
    let (found, script) = outcome([(); 3].map(|()| Reply::json(500, "{}")));
    assert!(found.unwrap_err().contains("tried 3 times"));
    assert_eq!(script.seen.borrow().len(), 3);
}

#[test]
fn the_models_own_dimension_is_asked_for_and_batches_stay_small() {
    let answer = |count: usize| {
        let data: Vec<Value> =
            (0..count).map(|index| json!({"index": index, "embedding": vec![1; 1024]})).collect();
        Reply::json(200, json!({"data": data}).to_string())
    };
    let script = Script::new([answer(1), answer(16), answer(16), answer(1)]);
    let platform = Nowhere.with(&script, &script);
    let choice = Choice::OpenAi { endpoint: endpoint(), model: "", dim: 0, shortened: false };
    let embedder = embed::open(&platform, choice).unwrap();
    assert_eq!((embedder.id(), embedder.dim()), ("openai:text-embedding-3-small", 1024));
    let mut texts = vec!["x"; 33];
    let long = "é".repeat(1 << 20);
    texts[0] = &long;
    texts[1] = " ";
    let mut found = vec![0.0; 33 * 1024];
    embedder.embed(&platform, &texts, &mut found).unwrap();
    assert!(found.iter().all(|&x| (x - 1.0 / 32.0).abs() < 1e-6));
    let seen = script.seen.borrow();
    let body: Value = serde_json::from_str(&seen[1].body).unwrap();
    assert!(body.get("dimensions").is_none());
    assert_eq!(body["input"].as_array().unwrap().len(), 16);
    assert_eq!(body["input"][0].as_str().unwrap().len(), 16 << 10);
    assert_eq!(body["input"][1], "-");
}

#[test]
fn names_that_cannot_be_opened_say_why() {
    let script = Script::new([]);
    let platform = Nowhere.with(&script, &script);
    let said =
        |choice| embed::open(&platform, choice).err().map(|error| error.into_sentence()).unwrap();
    assert!(said(Choice::Static("models/x.bin")).contains("models/x.bin: there is no such file"));
    assert!(said(Choice::Hashed(3)).contains("64 to 4096 components expected, found 3"));
    let choice = Choice::OpenAi { endpoint: endpoint(), model: "m", dim: 1 << 20, shortened: true };
    assert!(said(choice).contains("at most 8192 components"));
}

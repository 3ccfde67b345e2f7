//! Every example works: in the schemas, in `asyncapi.yaml` and in the guide.

use std::path::Path;

use serde_json::Value;
use suppressd::codec::{answer, export};

use super::beyond::wrong_in;
use super::documents::{AS_WRITTEN, CLOSED, SCHEMAS, asyncapi, schema};
use super::input::{EVENT, JOB};

/// Holds an example to its schema, and what a codec reads to that codec.
#[track_caller]
fn works(document: &str, example: &Value) {
    AS_WRITTEN.insist(document, example);
    if document != JOB.0 && document != EVENT.0 {
        CLOSED.insist(document, example);
    }
    let text = example.to_string();
    let read = match document {
        "job.schema.json" => JOB.1(&text).map_err(|fault| fault.to_string()),
        "event.schema.json" => EVENT.1(&text).map_err(|fault| fault.to_string()),
        "export-line.schema.json" => {
            export::read(text.as_bytes()).map(drop).map_err(|fault| fault.to_string())
        }
        "receipt.schema.json" => {
            answer::read(text.as_bytes()).map(drop).ok_or_else(|| "it is no receipt".to_owned())
        }
        _ => Ok(()),
    };
    assert_eq!(read, Ok(()), "an example of deploy/contract/{document}: {example}");
    assert_eq!(wrong_in(document, example), None, "an example of deploy/contract/{document}: {example}");
    if document == "filtered-job.schema.json" {
        assert_eq!(JOB.1(&text).map_err(|fault| fault.to_string()), Ok(()), "it is a job too");
    }
}

#[test]
fn every_example_of_a_schema_works() {
    for document in SCHEMAS {
        let schema = schema(document);
        let examples = schema["examples"].as_array();
        let examples = examples.unwrap_or_else(|| panic!("deploy/contract/{document} has no examples"));
        for example in examples {
            works(document, example);
        }
    }
}

#[test]
fn every_example_of_the_asyncapi_document_works() {
    let document = asyncapi();
    let messages = document["components"]["messages"].as_object().expect("there are messages");
    for (name, message) in messages {
        for example in message["examples"].as_array().into_iter().flatten() {
            for part in ["headers", "payload"] {
                let schema = message[part]["$ref"].as_str().and_then(|to| to.strip_prefix("./"));
                match (schema, &example[part]) {
                    (Some(schema), Value::Null) => {
                        panic!("asyncapi.yaml: an example of {name} lacks {schema}")
                    }
                    (Some(schema), example) => works(schema, example),
                    (None, _) => {}
                }
            }
        }
    }
}

/// The blocks of the guide that are messages, by how they begin, and the others, which are none.
const GUIDE: &[(&str, Option<&str>)] = &[
    ("{\"event_id\": \"cc-1\", \"source\"", Some("event.schema.json")),
    ("{\"suppressd_export\":1,", Some("export-line.schema.json")),
    ("{\n  \"job_id\":", Some("job.schema.json")),
    ("{\"suppression\": {", None),
    ("{\"campaign_id\": \"nauryz-2027\"", Some("report-campaign.schema.json")),
    ("{\n  \"event_id\": \"cc-000123\"", Some("event.schema.json")),
    ("{\"event_id\": \"cc-000123\"", Some("receipt.schema.json")),
    ("{\"request_id\": \"email:", Some("review-opened.schema.json")),
    // What the example client prints, and what /ready answers.
    ("{\"status\": \"applied\", \"revision\"", None),
    ("{\"ready\": false,", None),
];

#[test]
fn every_message_in_the_guide_works() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks: Vec<_> =
        guide.split("\n```json\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(!blocks.is_empty(), "README.md has blocks of JSON");
    for block in &blocks {
        let known = GUIDE.iter().find(|(begins, _)| block.starts_with(begins));
        let (_, document) = known.unwrap_or_else(|| {
            panic!("README.md has an example that tests/contract/examples.rs does not know:\n{block}")
        });
        let Some(document) = document else { continue };
        // Also several after each other, a line each.
        for value in serde_json::Deserializer::from_str(block).into_iter::<Value>() {
            let mut value = value.unwrap_or_else(|error| panic!("README.md: {error}\n{block}"));
            whole_digests(&mut value);
            works(document, &value);
        }
    }
    for (begins, _) in GUIDE {
        assert!(
            blocks.iter().any(|block| block.starts_with(begins)),
            "README.md has no example like {begins}"
        );
    }
    let added = blocks.iter().find(|block| block.starts_with("{\"suppression\": {")).unwrap();
    let mut filtered = schema("filtered-job.schema.json")["examples"][0].clone();
    let added: Value = serde_json::from_str(added).unwrap();
    filtered["suppression"] = added["suppression"].clone();
    CLOSED.insist("filtered-job.schema.json", &filtered);
}

/// The guide shortens the name of a list.
fn whole_digests(value: &mut Value) {
    if let Some(list) = value.get_mut("list").filter(|list| list == &"5d2f…") {
        *list = "5d2f6f0f3c7e4b1a9f5e0c8a7b6d4e21".into();
    }
}

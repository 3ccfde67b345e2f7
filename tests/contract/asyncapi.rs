//! `asyncapi.yaml`: valid, whole, and of the same exchanges, queues and users as the program.

use std::collections::BTreeSet;
use std::path::Path;

use boon::{Compiler, Schemas};
use regex::Regex;
use serde_json::Value;
use suppressd::amqp::Names;
use suppressd::codec::campaign;

use super::documents::{SCHEMAS, asyncapi};
use super::routes::{resolve, route_of, routes};

#[test]
fn it_is_an_asyncapi_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/asyncapi-3.0.0.schema.json");
    let specification = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.add_resource("file:///asyncapi.json", specification).unwrap();
    let index = compiler.compile("file:///asyncapi.json", &mut schemas).unwrap();
    let document = asyncapi();
    let valid = schemas.validate(&document, index).map_err(|error| format!("{error:#}"));
    assert_eq!(valid, Ok(()), "deploy/contract/asyncapi.yaml");
    let mut wrong = document.clone();
    wrong["channels"]["jobs"]["adress"] = wrong["channels"]["jobs"]["address"].take();
    assert!(schemas.validate(&wrong, index).is_err(), "the specification refuses what it does not know");
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_of_a_message_is_referred_to() {
    let document = asyncapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let mut referred: BTreeSet<_> = SCHEMAS.into();
    for reference in found {
        match reference.strip_prefix("./") {
            Some(schema) => {
                assert!(SCHEMAS.contains(&schema), "asyncapi.yaml refers to {schema}, which is not there");
                referred.remove(schema);
            }
            None => drop(resolve(&document, &serde_json::json!({ "$ref": reference })).clone()),
        }
    }
    assert_eq!(referred, ["export-line.schema.json"].into(), "schemas of no message");
}

#[test]
fn it_has_the_exchanges_and_the_queue_that_the_program_has() {
    let document = asyncapi();
    let names = Names::new("suppressd").unwrap();
    let channels = document["channels"].as_object().unwrap();
    let (mut exchanges, mut queues) = (BTreeSet::new(), BTreeSet::new());
    for (name, channel) in channels {
        let amqp = &resolve(&document, &channel["bindings"])["amqp"];
        let (exchange, queue) = (&amqp["exchange"], &amqp["queue"]);
        exchanges.extend(exchange["name"].as_str().map(|name| (name, exchange["type"].as_str())));
        queues.extend(queue["name"].as_str());
        let durable = [exchange, queue].into_iter().all(|it| it["durable"].as_bool().unwrap_or(true));
        assert!(durable, "asyncapi.yaml, {name}: everything is durable");
    }
    let ours = [&names.jobs, &names.filtered, &names.opt_outs, &names.events];
    let ours: BTreeSet<_> = ours.into_iter().map(|name| (name.as_str(), Some("topic"))).collect();
    assert_eq!(exchanges, ours, "deploy/contract/asyncapi.yaml");
    assert_eq!(queues, [names.dead.as_str()].into(), "deploy/contract/asyncapi.yaml");
}

#[test]
fn each_message_of_ours_has_one_channel() {
    let payload = |exchange: &str, key: &str| {
        route_of(exchange, key).map(|route| route.payload.as_deref().unwrap_or_default())
    };
    for (exchange, key, document) in [
        ("suppressd.filtered", "any.key at all", "filtered-job.schema.json"),
        ("suppressd.events", "receipt.call_center", "receipt.schema.json"),
        ("", "callcenter.replies", "receipt.schema.json"),
        ("suppressd.events", "report.job", "report-job.schema.json"),
        ("suppressd.events", campaign::REPORT, "report-campaign.schema.json"),
        ("suppressd.events", "review.opened", "review-opened.schema.json"),
        ("suppressd.events", "alarm.deadline", "alarm.schema.json"),
        ("suppressd.dead", "sms.KZ-79", ""),
    ] {
        assert_eq!(payload(exchange, key), Ok(document), "{exchange} {key}");
    }
    for (exchange, key) in [
        ("suppressd.events", "alarm.lost"),
        ("suppressd.events", "receipt."),
        ("suppressd.events", "report.jobs"),
        ("suppressd.jobs", "sms.KZ-79"),
        ("amq.topic", "x"),
    ] {
        assert!(payload(exchange, key).is_err(), "suppressd publishes nothing to {exchange} {key}");
    }
    let with_headers = routes().iter().filter(|route| route.headers.is_some());
    let with_headers: BTreeSet<_> = with_headers.map(|route| route.name.as_str()).collect();
    let expected = ["deadLetters", "filteredJobs", "jobReports", "receipts", "replies", "reviews"];
    assert_eq!(with_headers, expected.into());
}

/// A routing key that a channel's address allows.
fn example_key(document: &Value, channel: &Value) -> String {
    let mut key = channel["address"].as_str().unwrap_or_default().to_owned();
    for (name, parameter) in channel["parameters"].as_object().into_iter().flatten() {
        let parameter = resolve(document, parameter);
        let word = parameter["enum"][0].as_str().or(parameter["examples"][0].as_str());
        key = key.replace(&format!("{{{name}}}"), word.expect("a parameter has an example"));
    }
    key
}

/// Whether RabbitMQ lets a user do this with an exchange and a routing key.
fn may(definitions: &Value, user: &str, right: &str, exchange: &str, keys: &[String]) -> bool {
    let of = |list: &'static str| {
        let all = definitions[list].as_array().expect("definitions have permissions").iter();
        all.filter(|permission| permission["user"] == user).collect::<Vec<_>>()
    };
    let allows = |permission: &&Value, text: &str| {
        Regex::new(permission[right].as_str().expect("a right is a pattern"))
            .expect("RabbitMQ takes it")
            .is_match(text)
    };
    let topics = of("topic_permissions");
    let mut topics = topics.iter().filter(|topic| topic["exchange"] == exchange).peekable();
    let topic = topics.peek().is_none() || topics.any(|topic| keys.iter().any(|key| allows(topic, key)));
    topic && of("permissions").iter().any(|permission| allows(permission, exchange))
}

#[test]
fn it_names_the_users_who_may() {
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rabbitmq/definitions.json");
    let definitions: Value = serde_json::from_str(&std::fs::read_to_string(definitions).unwrap()).unwrap();
    let users = definitions["users"].as_array().unwrap().iter().filter_map(|user| user["name"].as_str());
    let users: Vec<_> = users.filter(|user| *user != "suppressd").collect();
    let document = asyncapi();
    for (name, channel) in document["channels"].as_object().unwrap() {
        let amqp = &resolve(&document, &channel["bindings"])["amqp"];
        let Some(exchange) = amqp["exchange"]["name"].as_str() else { continue };
        // Each source has its own key; the first example is the call centre's, the second that of mail.
        let key = example_key(&document, channel);
        let keys = [key.clone(), key.replace("call_center", "email")];
        for (right, list) in [("write", "x-published-by"), ("read", "x-read-by")] {
            let named: Vec<_> =
                channel[list].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let allowed: Vec<_> = users
                .iter()
                .filter(|user| may(&definitions, user, right, exchange, &keys))
                .copied()
                .collect();
            assert_eq!(named, allowed, "deploy/contract/asyncapi.yaml, {name}, {list}");
        }
    }
}

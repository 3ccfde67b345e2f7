//! The documents of `deploy/contract`, each compiled once: the schemas as they are written, and the schemas *closed*.
//!
//! Closed, an object has no member but those that its schema names, unless the schema says that others are the
//! sender's own. Integrators are told to pass over what they do not know, so the published schemas stay open;
//! the tests hold the program to the closed ones, so that a member is renamed or added in both places or in none.
//! Deliberately absent: any network. What a document refers to lies beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::yaml;

/// Every schema.
pub(crate) const SCHEMAS: [&str; 12] = [
    "alarm.schema.json",
    "dead-letter-headers.schema.json",
    "event.schema.json",
    "export-line.schema.json",
    "filtered-headers.schema.json",
    "filtered-job.schema.json",
    "job.schema.json",
    "receipt.schema.json",
    "report-campaign.schema.json",
    "report-job.schema.json",
    "review-opened.schema.json",
    "trace-headers.schema.json",
];

pub(crate) const ASYNCAPI: &str = "asyncapi.yaml";

/// Where the compiler believes the documents to be; its errors name them so.
const PLACE: &str = "file:///deploy/contract/";

/// Where the documents are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/contract")
}

fn text(document: &str) -> String {
    let path = directory().join(document);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("deploy/contract/{document}: {error}"))
}

/// A schema as JSON.
pub(crate) fn schema(document: &str) -> Value {
    serde_json::from_str(&text(document))
        .unwrap_or_else(|error| panic!("deploy/contract/{document}: {error}"))
}

/// `asyncapi.yaml` as JSON.
pub(crate) fn asyncapi() -> Value {
    yaml::parse(&text(ASYNCAPI)).unwrap_or_else(|error| panic!("deploy/contract/{ASYNCAPI}: {error}"))
}

/// Compiled schemas.
pub(crate) struct Documents {
    schemas: Schemas,
    indexes: BTreeMap<&'static str, SchemaIndex>,
}

/// What integrators have.
pub(crate) static AS_WRITTEN: LazyLock<Documents> = LazyLock::new(|| Documents::compile(|schema| schema));

/// What the program is held to.
pub(crate) static CLOSED: LazyLock<Documents> = LazyLock::new(|| Documents::compile(closed));

impl Documents {
    fn compile(change: impl Fn(Value) -> Value) -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        for document in SCHEMAS {
            let added = compiler.add_resource(&format!("{PLACE}{document}"), change(schema(document)));
            added.unwrap_or_else(|error| panic!("deploy/contract/{document}: {error}"));
        }
        let mut index = |document| {
            let compiled = compiler.compile(&format!("{PLACE}{document}"), &mut schemas);
            compiled.unwrap_or_else(|error| panic!("deploy/contract/{document} is no JSON Schema: {error:#}"))
        };
        let indexes = SCHEMAS.map(|document| (document, index(document))).into();
        Self { schemas, indexes }
    }

    /// Whether a value is what a document says; else where and why it is not.
    pub(crate) fn check(&self, document: &str, value: &Value) -> Result<(), String> {
        let index = self.indexes.get(document);
        let index = *index.unwrap_or_else(|| panic!("deploy/contract/{document} is not among the schemas"));
        self.schemas
            .validate(value, index)
            .map_err(|error| format!("this is not what deploy/contract/{document} says: {value}\n{error:#}"))
    }

    /// Insists on it.
    #[track_caller]
    pub(crate) fn insist(&self, document: &str, value: &Value) {
        self.check(document, value).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// The schema with every object closed that does not say otherwise.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            let types = members.get("type").unwrap_or(&Value::Null);
            let of_objects = types == "object"
                || types.as_array().is_some_and(|types| types.iter().any(|one| one == "object"));
            if of_objects && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(false.into());
            }
            members.values_mut().for_each(|member| *member = closed(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = closed(item.take())),
        _ => {}
    }
    schema
}

//! Which document speaks of a message that suppressd published, by its exchange and routing key: what `asyncapi.yaml`
//! says of the channels on which suppressd sends.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::documents::asyncapi;

/// A channel on which suppressd sends.
pub(crate) struct Route {
    /// Its name in the document.
    pub(crate) name: String,
    /// The exchange; none: the default one, to whatever queue asked.
    pub(crate) exchange: Option<String>,
    /// The routing key up to its first parameter.
    begins: String,
    /// What the parameter may be; `None`: there is none.
    parameter: Option<Words>,
    /// The schema of the body, if it has one.
    pub(crate) payload: Option<String>,
    /// The schema of the headers, if it has one.
    pub(crate) headers: Option<String>,
}

/// What a parameter may be.
enum Words {
    Any,
    Only(BTreeSet<String>),
}

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let document = asyncapi();
    let operations = document["operations"].as_object().expect("there are operations").values();
    let sends = operations.filter(|operation| operation["action"] == "send");
    let mut channels: Vec<_> = sends.map(|operation| name_in(&operation["channel"])).collect();
    channels.push("replies".to_owned());
    channels.into_iter().map(|name| Route::read(&document, name)).collect()
});

/// All of them.
pub(crate) fn routes() -> &'static [Route] {
    &ROUTES
}

/// What must be true of a message with this exchange and routing key. An error: no channel is like that.
pub(crate) fn route_of(exchange: &str, routing_key: &str) -> Result<&'static Route, String> {
    let found = routes()
        .iter()
        .find(|route| route.exchange.as_deref().unwrap_or_default() == exchange && route.takes(routing_key));
    found.ok_or_else(|| {
        format!("deploy/contract/asyncapi.yaml has no channel for {routing_key:?} of exchange {exchange:?}")
    })
}

impl Route {
    fn read(document: &Value, name: String) -> Self {
        let channel = &document["channels"][&name];
        let message = channel["messages"].as_object().and_then(|messages| messages.values().next());
        let message = resolve(document, message.expect("a channel has a message"));
        let message = resolve(document, message);
        let amqp = &resolve(document, &channel["bindings"])["amqp"];
        let exchange = amqp["exchange"]["name"].as_str().or(amqp["queue"]["name"].as_str());
        let address = channel["address"].as_str().unwrap_or("{queue}");
        let (begins, parameter) = match address.split_once('{') {
            None => (address, None),
            Some((begins, rest)) => {
                let parameter = rest.split('}').next().unwrap_or_default();
                let described = resolve(document, &channel["parameters"][parameter]);
                (begins, Some(words(described)))
            }
        };
        let document_of = |part: &Value| part["$ref"].as_str()?.strip_prefix("./").map(ToOwned::to_owned);
        Self {
            exchange: exchange.map(ToOwned::to_owned),
            begins: begins.to_owned(),
            parameter,
            payload: document_of(&message["payload"]),
            headers: document_of(&message["headers"]),
            name,
        }
    }

    /// A filtered job has whatever routing key its job had, and so has a dead letter.
    fn takes(&self, routing_key: &str) -> bool {
        if self.begins.is_empty() || self.name == "deadLetters" {
            return true;
        }
        let rest = routing_key.strip_prefix(&self.begins);
        rest.is_some_and(|rest| match &self.parameter {
            None => rest.is_empty(),
            Some(Words::Any) => !rest.is_empty(),
            Some(Words::Only(words)) => words.contains(rest),
        })
    }
}

fn words(parameter: &Value) -> Words {
    match parameter["enum"].as_array() {
        None => Words::Any,
        Some(words) => Words::Only(words.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect()),
    }
}

/// What a reference within the document leads to; everything else is itself.
pub(crate) fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        None => part,
        Some(pointer) => {
            document.pointer(pointer).unwrap_or_else(|| panic!("asyncapi.yaml: #{pointer} is not there"))
        }
    }
}

fn name_in(reference: &Value) -> String {
    let reference = reference["$ref"].as_str().expect("a channel is referred to");
    reference.rsplit('/').next().expect("a reference has a last part").to_owned()
}

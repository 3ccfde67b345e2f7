//! YAML as the JSON that it stands for. What JSON has no form for (a key that is no text, an alias) is a mistake in
//! the document.

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// The one document of a text.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [document] => json(document),
        several => Err(format!("has {} documents", several.len())),
    }
}

fn json(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(flag) => (*flag).into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::String(text) => text.as_str().into(),
        Yaml::Array(items) => items.iter().map(json).collect::<Result<_, _>>()?,
        Yaml::Hash(members) => {
            let member = |(name, value): (&Yaml, &Yaml)| match name {
                Yaml::String(name) => Ok((name.clone(), json(value)?)),
                _ => Err("has a key that is no text".to_owned()),
            };
            Value::Object(members.iter().map(member).collect::<Result<Map<_, _>, _>>()?)
        }
        Yaml::Real(_) | Yaml::Alias(_) | Yaml::BadValue => return Err("has what is no JSON here".to_owned()),
    })
}

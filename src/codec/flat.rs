//! A JSON object as a table's row: each member a name and a text.
//!
//! For the exports of other products, whose members mean something else in each. Deep structures are not looked
//! into: what is no text, number or list of texts is there and cannot be used.

use std::borrow::Cow;

use super::fault::Fault;
use super::json::Tree;
use crate::domain::filter::Given;

/// An object. Not `Debug`: it names a person.
pub struct Flat(Tree);

impl Flat {
    /// Parses the JSON, which must be an object.
    pub fn parse(json: &[u8]) -> Result<Self, Fault> {
        match Tree::read(json)? {
            object @ Tree::Object(_) => Ok(Self(object)),
            _ => Err(Fault::schema("", "must be an object")),
        }
    }

    /// The members in their order, with repetitions. A list of texts is one text with commas in it.
    pub fn members(&self) -> impl Iterator<Item = (&str, Given<'_>)> {
        let members: &[_] = match &self.0 {
            Tree::Object(members) => members,
            _ => &[],
        };
        members.iter().filter_map(|(name, value)| Some((name.as_str()?, given(value))))
    }
}

fn given(value: &Tree) -> Given<'_> {
    match value {
        Tree::Null => Given::Absent,
        Tree::Bool(flag) => Given::Text(if *flag { "true" } else { "false" }.into()),
        Tree::Number(digits) => Given::Text(digits.as_str().into()),
        Tree::Text(text) if text.is_empty() => Given::Absent,
        Tree::Text(text) => text.as_str().map_or(Given::Unusable, |text| Given::Text(text.into())),
        Tree::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(text).collect();
            texts.map_or(Given::Unusable, |texts| Given::Text(Cow::Owned(texts.join(","))))
        }
        Tree::Object(_) => Given::Unusable,
    }
}

fn text(item: &Tree) -> Option<&str> {
    match item {
        Tree::Text(text) => text.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_texts_and_what_is_none_cannot_be_used() {
        let json = r#"{"a": "x", "b": 550, "c": 1586549395.49, "d": ["*", "n"], "e": {"f": 1}, "g": null, "h": true}"#;
        let flat = Flat::parse(json.as_bytes()).ok().unwrap();
        let told: Vec<_> = flat
            .members()
            .map(|(name, given)| match given {
                Given::Text(text) => format!("{name}={text}"),
                Given::Absent => format!("{name} is absent"),
                Given::Unusable => format!("{name} is unusable"),
            })
            .collect();
        assert_eq!(
            told,
            ["a=x", "b=550", "c=1586549395.49", "d=*,n", "e is unusable", "g is absent", "h=true"]
        );
        assert!(Flat::parse(b"[1]").is_err() && Flat::parse(b"{").is_err());
    }
}

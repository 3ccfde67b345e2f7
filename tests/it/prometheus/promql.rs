//! Reads just enough of Prometheus's expressions to see which metrics and labels they name. Whether one is right at all
//! is Prometheus's to say.

/// What follows these is a list of labels.
const LABEL_LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Words that are no metric.
const WORDS: &[&str] = &["and", "or", "unless", "offset", "bool", "Inf", "NaN", "inf", "nan"];

/// What an expression names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Metrics, each with its matchers.
    pub(super) metrics: Vec<Metric>,
    /// Labels of `by (…)` and the like.
    pub(super) labels: Vec<String>,
}

/// A metric as it is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: String,
    /// Label and value; of a regular expression each alternative.
    pub(super) matchers: Vec<(String, String)>,
}

/// Reads an expression.
pub(super) fn read(expression: &str) -> Named {
    let (mut named, mut rest) = (Named::default(), expression);
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = after(&rest[1..], first);
        } else if first == '[' {
            rest = after(rest, ']');
        } else if first.is_ascii_digit() {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
        } else if is_name(first) {
            let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
            rest = read_name(name, rest[name.len()..].trim_start(), &mut named);
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    named
}

/// Takes a name and what belongs to it; answers what is left.
fn read_name<'a>(name: &str, rest: &'a str, named: &mut Named) -> &'a str {
    if let Some(inside) = rest.strip_prefix('(') {
        if !LABEL_LISTS.contains(&name) {
            return inside;
        }
        let (labels, rest) = inside.split_once(')').expect("a list of labels ends");
        named
            .labels
            .extend(labels.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned));
        return rest;
    }
    // `sum by (…)` is a function too.
    let next = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
    if WORDS.contains(&name) || LABEL_LISTS.contains(&name) || matches!(next, "by" | "without") {
        return rest;
    }
    let (matchers, rest) = match rest.strip_prefix('{') {
        Some(inside) => inside.split_once('}').expect("a selector ends"),
        None => ("", rest),
    };
    // No value of ours has a comma or a quote.
    let matchers =
        matchers.split(',').filter_map(|matcher| matcher.split_once('"')).flat_map(|(label, value)| {
            let (label, values) =
                (label.trim_end_matches(['=', '!', '~']).trim(), value.trim_end().trim_end_matches('"'));
            values.split('|').map(|value| (label.to_owned(), value.to_owned())).collect::<Vec<_>>()
        });
    named.metrics.push(Metric { name: name.to_owned(), matchers: matchers.collect() });
    rest
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[test]
fn an_expression_names_metrics_and_labels() {
    let named = read(
        "sum by (job, le) (rate(a_total{x!~\"p|q\", y=\"z\"}[10m] offset 1w)) > 4 * 3600\n\
         and on (job) b:c unless histogram_quantile(0.99, d) == bool 1e3",
    );
    let metric = |name: &str, matchers: &[(&str, &str)]| Metric {
        name: name.into(),
        matchers: matchers.iter().map(|(label, value)| ((*label).into(), (*value).into())).collect(),
    };
    let metrics =
        vec![metric("a_total", &[("x", "p"), ("x", "q"), ("y", "z")]), metric("b:c", &[]), metric("d", &[])];
    assert_eq!(named, Named { metrics, labels: ["job", "le", "job"].map(str::to_owned).to_vec() });
}

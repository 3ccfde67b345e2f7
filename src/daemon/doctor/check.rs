//! One line of the diagnosis.

use crate::amqp::BrokerSettings;

/// What to do where TLS failed: what was found says it.
pub(super) const MEND_TLS: &str =
    "do what it says of the certificate, the setting or the port; a worker waits for it meanwhile";

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works; somebody should know, or mend it in time.
    Warning,
    /// Somebody must mend it.
    Fault,
    /// It may come back by itself.
    Unavailable,
    /// It was not, or cannot be, looked at.
    Skipped,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Warning, Self::Fault, Self::Unavailable, Self::Skipped];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Unavailable => "unavailable",
            Self::Skipped => "skipped",
        }
    }
}

/// What was looked at, how it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, the same in every run.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found. Never a secret, never anything about a person.
    pub found: String,
    /// What to do; of what is as it should be, nothing.
    pub to_do: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Ok, found: found.into(), to_do: None }
    }

    pub(super) fn warning(name: &str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, to_do: Some(to_do.into()), ..Self::ok(name, found) }
    }

    pub(super) fn fault(name: &str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fault, to_do: Some(to_do.into()), ..Self::ok(name, found) }
    }

    pub(super) fn unavailable(name: &str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unavailable, to_do: Some(to_do.into()), ..Self::ok(name, found) }
    }

    pub(super) fn skipped(name: &str, why: impl Into<String>, to_do: Option<String>) -> Self {
        Self { verdict: Verdict::Skipped, to_do, ..Self::ok(name, why) }
    }
}

const CONFIGURATION: &str = "configuration";

/// The configuration was read, with these warnings.
pub(super) fn configuration(warnings: &[String]) -> Vec<Check> {
    if warnings.is_empty() {
        return vec![Check::ok(CONFIGURATION, "every setting is right")];
    }
    warnings.iter().map(|warning| Check::warning(CONFIGURATION, warning, "as it says")).collect()
}

/// The configuration has this mistake.
pub(super) fn unusable(mistake: &str) -> Check {
    Check::fault(
        CONFIGURATION,
        mistake,
        "correct it; `suppressd check-config` looks at the configuration alone",
    )
}

/// Nothing but the configuration was looked at.
pub(super) fn all_else() -> Check {
    Check::skipped("everything else", "the configuration must be right first", None)
}

/// What nobody sees over AMQP, so that a clean diagnosis is not taken for more than it is.
pub(super) fn unseen(settings: &BrokerSettings) -> [Check; 2] {
    let names = &settings.names;
    let policies =
        format!("no policy may match {}: `rabbitmqctl list_policies -p VHOST` shows them", names.ledger);
    let bindings = format!("`rabbitmqctl list_bindings -p VHOST` must have one from {}", names.filtered);
    [
        Check::skipped("policies", "a policy that trims the ledger cannot be seen over AMQP", Some(policies)),
        Check::skipped("senders", "who gets filtered jobs cannot be seen over AMQP", Some(bindings)),
    ]
}

/// Whether a version is this one or newer; what is no version is none.
pub(super) fn at_least(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= least,
        _ => false,
    }
}

/// A number with its noun.
pub(super) fn counted(number: impl Into<u64>, one: &str, many: &str) -> String {
    match number.into() {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, is) in [
            ("3.10.8", true),
            ("3.9.29", false),
            ("4.0.0", true),
            ("3.10", true),
            ("10.1.1", true),
            ("3", false),
            ("", false),
            ("3.x", false),
        ] {
            assert_eq!(at_least(version, (3, 10)), is, "{version}");
        }
    }
}

//! The closed vocabularies of the contract, each with the one spelling that goes over the wire.
//!
//! A word that is not in its list does not exist: parsing answers `None`, and there is no "other".

/// Declares an enum whose variants each have one wire name, with `ALL`, `as_str` and `parse`.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every word, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The spelling in JSON, headers, metrics and settings.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The word with exactly this spelling.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use vocabulary;

vocabulary! {
    /// What names a person.
    IdentifierKind {
        /// The customer number of the marketing system.
        UserId => "user_id",
        /// An e-mail address.
        Email => "email",
        /// A telephone number.
        Phone => "phone",
    }
}

vocabulary! {
    /// How a campaign reaches people.
    Channel {
        /// E-mail.
        Email => "email",
        /// Text message.
        Sms => "sms",
        /// Telephone call.
        Call => "call",
    }
}

impl Channel {
    /// The identifier that this channel delivers to: a recipient whose own address is present but
    /// cannot be parsed cannot be checked, so it is not sent to.
    pub const fn address(self) -> IdentifierKind {
        match self {
            Self::Email => IdentifierKind::Email,
            Self::Sms | Self::Call => IdentifierKind::Phone,
        }
    }
}

vocabulary! {
    /// Why a job is sent; it decides which statements it obeys.
    Purpose {
        /// Obeys every statement.
        Marketing => "marketing",
        /// Obeys holds only.
        Transactional => "transactional",
        /// Obeys holds only.
        ServiceNotice => "service_notice",
        /// Obeys nothing: a breach notice, say.
        LegalNotice => "legal_notice",
    }
}

vocabulary! {
    /// What an event does to its subject.
    EventKind {
        /// The person refuses marketing.
        OptOut => "opt_out",
        /// The person wants marketing again; lifts opt-outs, complaints and bounces that it covers.
        OptIn => "opt_in",
        /// The person called a message spam.
        Complaint => "complaint",
        /// The address does not take mail.
        Bounce => "bounce",
        /// The person's data is blocked while a claim is checked.
        Hold => "hold",
        /// Ends a hold, and uncovers what lay beneath.
        Release => "release",
        /// The subject now also has other identifiers.
        IdentifierChanged => "identifier_changed",
        /// Closes a request without an opt-out.
        Dismiss => "dismiss",
        /// Applies what a request in review asks for.
        Apply => "apply",
    }
}

impl EventKind {
    /// Whether the event restricts: in doubt, such an event is taken in its widest sense.
    pub const fn restricts(self) -> bool {
        matches!(self, Self::OptOut | Self::Complaint | Self::Bounce | Self::Hold)
    }

    /// Whether the event lifts: in doubt, such an event is refused.
    pub const fn lifts(self) -> bool {
        matches!(self, Self::OptIn | Self::Release)
    }

    /// Whether the event names a request instead of a person.
    pub const fn settles(self) -> bool {
        matches!(self, Self::Dismiss | Self::Apply)
    }
}

vocabulary! {
    /// What happens while a person must decide about an event.
    ReviewMode {
        /// A provisional hold is on its identifiers.
        Hold => "hold",
        /// Nothing.
        Ask => "ask",
    }
}

vocabulary! {
    /// Why a recipient is not in the output, strongest first.
    Removal {
        /// A hold is in force.
        Hold => "hold",
        /// An opt-out is in force.
        OptOut => "opt_out",
        /// A complaint is in force.
        Complaint => "complaint",
        /// A bounce is in force.
        Bounce => "bounce",
        /// The recipient cannot be checked, so it is not sent to.
        Unidentifiable => "unidentifiable",
    }
}

vocabulary! {
    /// What the source of an event is told.
    Status {
        /// The statement stands.
        Applied => "applied",
        /// The same event again.
        Duplicate => "duplicate",
        /// Valid, but it stands nowhere in its own family.
        Superseded => "superseded",
        /// Somebody must look.
        Review => "review",
        /// Refused, with a reason.
        Rejected => "rejected",
    }
}

vocabulary! {
    /// On whose behalf an event was sent.
    RequestedBy {
        /// The person.
        Subject => "subject",
        /// Somebody who acts for the person.
        Representative => "representative",
        /// A court or an office.
        Authority => "authority",
    }
}

vocabulary! {
    /// Why a message is in the dead queue: the closed list of `x-suppressd-reason`.
    DeadReason {
        /// The body is not JSON.
        BadJson => "bad_json",
        /// The JSON breaks a rule of the contract.
        BadSchema => "bad_schema",
        /// Beyond a limit.
        TooLarge => "too_large",
        /// No such channel.
        UnknownChannel => "unknown_channel",
        /// The brand is not configured.
        UnknownBrand => "unknown_brand",
        /// The region is not configured, or the alias stands for several.
        UnknownRegion => "unknown_region",
        /// The publisher may not send jobs of this purpose.
        PurposeNotAllowed => "purpose_not_allowed",
        /// The source may not emit this kind, or somebody else speaks in its name.
        NotPermitted => "not_permitted",
        /// No identifier of the subject can be parsed.
        NoIdentifier => "no_identifier",
        /// A lifting event from the future.
        FutureDated => "future_dated",
        /// A lifting event whose scope names something unknown.
        UnknownScope => "unknown_scope",
        /// The same event id with other content.
        EventIdConflict => "event_id_conflict",
        /// The content encoding is not `gzip`, `zstd` or none.
        UnsupportedEncoding => "unsupported_encoding",
        /// The body does not unpack.
        BadEncoding => "bad_encoding",
        /// The message crashed workers while it was processed alone.
        CrashedWorker => "crashed_worker",
    }
}

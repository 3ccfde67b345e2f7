//! Everything that is tested against real servers, in one binary: one process boots RabbitMQ once and
//! compiles the harness once.
//!
//! A new topic is a new module here. Nothing below may depend on a server that was running before, and
//! nothing may be left running after: see `support::leash`.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]
#![allow(clippy::disallowed_methods, reason = "a test stands outside: its clock is the machine's")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is passed")]

mod call_center;
mod campaigns;
mod changed_identifiers;
mod checker;
mod coverage;
mod crashed_worker;
mod dead_command;
mod dead_events;
mod dead_jobs;
mod doctor_command;
mod export_command;
mod faults;
mod filter_command;
mod filtered_jobs;
mod first_steps;
mod harness;
mod import_command;
mod keys;
mod look_up;
mod mailbox;
mod main_job;
mod opt_out_command;
mod outages;
mod page;
mod permissions;
mod prometheus;
mod rebuild;
mod receipts;
mod requests;
mod requests_command;
mod scene;
mod secrets_kept;
mod senders;
mod sentinels;
mod start_up;
mod support;
mod tls;
mod traces;
mod waiting_room;

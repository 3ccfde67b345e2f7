//! What must stay true of the mailbox, whenever a worker dies and whatever the server does.

mod fake;

use std::collections::BTreeSet;

use self::fake::{Letter, Outside, Shelf};
use super::*;

const EVERY_KIND: &[&str] = &[
    "optout a@b.kz",
    "order",
    "both c@d.kz",
    "hold e@f.kz",
    "unsure g@h.kz",
    "review i@j.kz",
    "complaint k@l.kz",
    "bounce m@n.kz o@p.kz",
];

/// More steps than a run over [`EVERY_KIND`] has.
const STEPS_MAX: usize = 400;

/// Every mail is marked, and has one event if it asks for something, however many copies were published.
fn settled(outside: &Outside, exactly: bool) {
    let world = outside.world();
    for (name, shelf) in &world.shelves {
        assert!(shelf.mails.values().all(|mail| mail.done), "{name} has unmarked mails");
    }
    let bodies: BTreeSet<_> = world.published.iter().collect();
    assert_eq!(bodies.len(), EVERY_KIND.len() - 1, "one event a mail, always in the same words");
    if exactly {
        assert_eq!(world.published.len(), bodies.len(), "none twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_at_any_step_skips_no_mail_and_makes_no_second_event() {
    for learns in [true, false] {
        let mut deaths = 0;
        for dies_at in 1..STEPS_MAX {
            let outside = Outside::with(EVERY_KIND, &[]);
            outside.world().learns = learns;
            if !outside.run(&outside.desk(), dies_at).await {
                break;
            }
            deaths += 1;
            outside.settle(&outside.desk()).await;
            settled(&outside, learns);
        }
        assert!((50..STEPS_MAX - 1).contains(&deaths), "{deaths} steps were broken");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_at_any_step_makes_no_second_copy() {
    for dies_at in 1..STEPS_MAX {
        let outside = Outside::with(EVERY_KIND, &[]);
        // The list has not learned of anything yet: the process remembers what it has published.
        outside.world().learns = false;
        let desk = outside.desk();
        let broke = outside.run(&desk, dies_at).await;
        let published = outside.world().published.len();
        outside.settle(&desk).await;
        settled(&outside, false);
        // A publish whose confirm never came is published again; nothing else is.
        assert!(outside.world().published.len() <= EVERY_KIND.len(), "{published} before step {dies_at}");
        if !broke {
            return;
        }
    }
    panic!("a run has fewer steps");
}

#[tokio::test(start_paused = true)]
async fn moving_away_at_any_step_skips_no_mail_either() {
    for dies_at in 1..STEPS_MAX {
        let outside = Outside::with(EVERY_KIND, &[]);
        for folder in ["Done", "Read"] {
            let shelf = Shelf { uid_validity: 1, keeps_marks: true, full: false, mails: [].into() };
            outside.world().shelves.insert(folder.into(), shelf);
        }
        let desk = || {
            outside.desk_with(|plan| {
                plan.move_to = Some("Done".into());
                plan.review_to = Some("Read".into());
            })
        };
        let died = outside.run(&desk(), dies_at).await;
        outside.settle(&desk()).await;
        let count = |folder: &str| outside.world().shelves[folder].mails.len();
        assert_eq!((count("INBOX"), count("Done"), count("Read")), (1, 3, 4), "died at step {dies_at}");
        assert_eq!(outside.events().len(), EVERY_KIND.len() - 1);
        assert!(outside.world().shelves["Read"].mails.values().all(|mail| mail.person));
        if !died {
            return;
        }
    }
    panic!("a run has fewer steps");
}

#[tokio::test(start_paused = true)]
async fn each_outcome_becomes_its_event_and_its_mark() {
    let outside = Outside::with(EVERY_KIND, &[]);
    outside.settle(&outside.desk()).await;
    let said: Vec<_> = outside
        .events()
        .iter()
        .map(|event| format!("{} {} {}", event["kind"], event["review"], event["rule"]).replace('"', ""))
        .collect();
    let expected = [
        "opt_out null opt_out.object",
        "opt_out null opt_out.and_order",
        "hold hold hold.data",
        "opt_out hold unsure.word",
        "opt_out ask review.complaint",
        "complaint null complaint.arf",
        "bounce null bounce.hard",
    ];
    assert_eq!(said, expected);
    let event = &outside.events()[6];
    assert_eq!(event["also"], serde_json::json!([{"email": "o@p.kz"}]));
    assert_eq!(event["occurred_at"], "2026-11-22T09:00:00Z");
    let flagged: Vec<_> = outside.world().shelves["INBOX"].mails.values().map(|mail| mail.person).collect();
    assert_eq!(flagged, [false, false, true, true, true, true, false, false]);
    let metrics = outside.metrics.encode();
    for outcome in ["opt_out\"} 2", "nothing\"} 1", "unsure\"} 1", "known\"} 0", "bounce\"} 1"] {
        assert!(metrics.contains(&format!("suppressd_mails_total{{outcome=\"{outcome}")), "{outcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_mail_in_two_folders_is_one_event() {
    let outside = Outside::with(&["optout a@b.kz"], &["optout a@b.kz"]);
    outside.world().learns = false;
    outside.settle(&outside.desk()).await;
    assert_eq!(outside.events().len(), 1);
    let outside = Outside::with(&[], &["optout a@b.kz"]);
    outside.settle(&outside.desk()).await;
    let shelf = outside.world().shelves["Junk"].clone();
    outside.world().shelves.insert("INBOX".into(), Shelf { mails: shelf.mails, ..shelf });
    outside.world().shelves.get_mut("INBOX").unwrap().mails.get_mut(&1).unwrap().done = false;
    outside.settle(&outside.desk()).await;
    assert_eq!(outside.events().len(), 1, "another worker asks the list");
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_our_own_code_cannot_read_and_one_of_nobody_go_to_a_person() {
    let outside = Outside::with(&["panic", "optout", "complaint", "bounce"], &[]);
    outside.settle(&outside.desk()).await;
    let events = outside.events();
    let subjects: Vec<_> = events.iter().map(|event| event["subject"]["email"].clone()).collect();
    assert_eq!(subjects, ["no address", "no address"]);
    assert_eq!((&events[0]["review"], &events[0]["rule"]), (&"hold".into(), &"unsure.crash".into()));
    let flagged: Vec<_> = outside.world().shelves["INBOX"].mails.values().map(|mail| mail.person).collect();
    assert_eq!(flagged, [true, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_keywords_is_read_once_a_process_and_again_after_a_restart() {
    let outside = Outside::with(EVERY_KIND, &[]);
    outside.world().shelves.get_mut("INBOX").unwrap().keeps_marks = false;
    let desk = outside.desk();
    outside.settle(&desk).await;
    let read = outside.world().fetched;
    assert_eq!(read, EVERY_KIND.len());
    assert!(outside.health.snapshot().warnings()["mailbox_marks"].contains("INBOX"));
    outside.settle(&desk).await;
    assert_eq!(outside.world().fetched, read, "another session of the same process");
    outside.settle(&outside.desk()).await;
    assert_eq!(outside.world().fetched, 2 * read);
    assert_eq!(outside.events().len(), EVERY_KIND.len() - 1, "known events are not published again");
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_full_is_warned_of_and_marked_once_it_is_not() {
    let outside = Outside::with(EVERY_KIND, &[]);
    outside.world().shelves.get_mut("INBOX").unwrap().full = true;
    let desk = outside.desk();
    outside.settle(&desk).await;
    assert_eq!(outside.events().len(), EVERY_KIND.len() - 1, "what people ask for does not wait for room");
    assert!(outside.health.snapshot().warnings()["mailbox_marks"].contains("full"));
    {
        let mut world = outside.world();
        let shelf = world.shelves.get_mut("INBOX").unwrap();
        shelf.full = false;
        shelf.mails.insert(90, Letter { text: "order".into(), ..Letter::default() });
    }
    outside.settle(&desk).await;
    settled(&outside, true);
    assert!(!outside.health.snapshot().warnings().contains_key("mailbox_marks"));
}

#[tokio::test(start_paused = true)]
async fn new_uids_mean_new_mails() {
    let outside = Outside::with(EVERY_KIND, &[]);
    let desk = outside.desk();
    outside.world().shelves.get_mut("INBOX").unwrap().keeps_marks = false;
    outside.settle(&desk).await;
    outside.world().shelves.get_mut("INBOX").unwrap().uid_validity = 2;
    outside.settle(&desk).await;
    assert_eq!(outside.world().fetched, 2 * EVERY_KIND.len());
    assert_eq!(outside.events().len(), EVERY_KIND.len() - 1);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_cannot_be_fetched_keeps_nobody_waiting() {
    let outside = Outside::with(&["optout a@b.kz", "optout c@d.kz"], &[]);
    outside.world().breaks.insert(1, u32::MAX);
    outside.settle(&outside.desk()).await;
    let first = outside.world().shelves["INBOX"].mails[&1].clone();
    assert!(first.done && first.person);
    assert_eq!(outside.events().len(), 1);
    let outside = Outside::with(&["optout a@b.kz"], &[]);
    outside.world().breaks.insert(1, 5);
    outside.settle(&outside.desk()).await;
    assert_eq!(outside.events().len(), 1, "it came at last");
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_shown_and_tried_rarely() {
    let outside = Outside::with(&["optout a@b.kz"], &[]);
    outside.world().faults = vec![MailFault::new(MailFaultKind::Login, "the login is refused"); 4];
    let desk = outside.desk();
    let began = Instant::now();
    let shown = async {
        outside
            .health
            .watch()
            .wait_for(|shown| shown.warnings().contains_key("mailbox"))
            .await
            .unwrap()
            .clone()
    };
    let shown = tokio::select! { shown = shown => shown, () = desk.run() => unreachable!() };
    assert_eq!(shown.state(Dependency::Mailbox), &State::NotReady("the login is refused".into()));
    outside.settle(&desk).await;
    assert!(began.elapsed() > Duration::from_mins(7), "{:?}", began.elapsed());
    assert_eq!(outside.health.snapshot().state(Dependency::Mailbox), &State::Ready);
    assert!(outside.health.snapshot().warnings().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_missing_is_warned_of_and_looked_for_again() {
    let outside = Outside::with(&["optout a@b.kz"], &[]);
    let junk = outside.world().shelves.remove("Junk").unwrap();
    let desk = outside.desk();
    outside.settle(&desk).await;
    assert_eq!(outside.health.snapshot().warnings()["mailbox_folders"], "there is no folder Junk");
    outside.world().shelves.insert("Junk".into(), junk);
    let there = async {
        outside.health.watch().wait_for(|shown| shown.warnings().is_empty()).await.unwrap();
    };
    tokio::select! { () = there => {}, () = desk.run() => unreachable!() }
    outside.world().shelves.clear();
    let opened = outside.world().opened;
    let gone = async {
        let refused = |shown: &super::super::health::Snapshot| !shown.state(Dependency::Mailbox).is_well();
        outside.health.watch().wait_for(refused).await.unwrap();
    };
    tokio::select! { () = gone => {}, () = desk.run() => unreachable!() }
    assert!(outside.world().opened >= opened);
}

#[tokio::test(start_paused = true)]
async fn only_the_one_whose_turn_it_is_reads() {
    let outside = Outside::with(&["optout a@b.kz"], &[]);
    outside.world().turn = Ok(false);
    let desk = outside.desk();
    let idle = async {
        let idle = |shown: &super::super::health::Snapshot| {
            matches!(shown.state(Dependency::Mailbox), State::Idle(_))
        };
        outside.health.watch().wait_for(idle).await.unwrap();
    };
    tokio::select! { () = idle => {}, () = desk.run() => unreachable!() }
    assert_eq!(outside.world().opened, 0);
    outside.world().turn = Ok(true);
    outside.settle(&desk).await;
    let opened = outside.world().opened;
    // It is taken away: the session ends.
    outside.world().turn = Ok(false);
    let idle = async {
        let idle = |shown: &super::super::health::Snapshot| {
            matches!(shown.state(Dependency::Mailbox), State::Idle(_))
        };
        outside.health.watch().wait_for(idle).await.unwrap();
    };
    tokio::select! { () = idle => {}, () = desk.run() => unreachable!() }
    assert!(outside.world().opened <= opened + 2);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_forged_requests_is_alarmed_once() {
    let forged: Vec<String> = (0..6).map(|number| format!("forged u{number}@b.kz")).collect();
    let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
    let outside = Outside::with(&forged, &[]);
    outside.settle(&outside.desk()).await;
    assert_eq!(outside.world().alarms, ["alarm.mailbox_flood"]);
    assert!(outside.metrics.encode().contains("suppressd_mails_forged_total 6"));
}

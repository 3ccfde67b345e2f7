//! `identifier_changed`, to the end: what a filtered job says of everybody involved, whatever arrived first.
//!
//! Each story is told in every order of its events, to people of its own, and must always end the same.

use serde_json::{Value, json};

use crate::scene::{Scene, but, event, job};

/// A kind, the day of November on which it happened, of whom, and who they are now too.
type Line = (&'static str, u8, &'static str, &'static str);

struct Story {
    lines: &'static [Line],
    /// Each person with what a job says in the end.
    ends: &'static [(char, &'static str)],
}

/// A and B have numbers, C an address, D is known by the company's own name.
fn person(who: char, story: usize, order: usize) -> (&'static str, String) {
    match who {
        'A' | 'B' => ("phone", format!("8701{story}{order:03}11{}", who as u8 % 10)),
        'C' => ("email", format!("c{story}.{order}@x.kz")),
        _ => ("user_id", format!("{who}{story}.{order}")),
    }
}

fn subject(who: &str, story: usize, order: usize) -> Value {
    let people = who.chars().map(|who| person(who, story, order));
    people.map(|(member, value)| (member.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// Every order of `count` things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let put_in = |order: Vec<usize>| (0..=last).map(move |at| [&order[..at], &[last], &order[at..]].concat());
    orders(last).into_iter().flat_map(put_in).collect()
}

/// Tells a story in every order at once: the next event only when the last one is in force.
async fn tell(scene: &mut Scene, number: usize, story: &Story) {
    let orders = orders(story.lines.len());
    for turn in 0..story.lines.len() {
        for (order, lines) in orders.iter().enumerate() {
            let (kind, day, who, new) = story.lines[lines[turn]];
            let id = format!("{number}-{order}-{turn}");
            let members = json!({
                "occurred_at": format!("2026-11-{day:02}T10:00:00+05:00"),
                "new_subject": subject(new, number, order)
            });
            scene.send_event(&but(event(&id, kind, subject(who, number, order)), members)).await;
        }
        for receipt in scene.receipts.take(orders.len()).await {
            let status = &receipt.json()["status"];
            assert!(status == "applied" || status == "superseded", "{status}");
        }
    }
    for (who, expected) in story.ends {
        let recipients = (0..orders.len()).map(|order| {
            let (member, value) = person(*who, number, order);
            json!({member: value, "order": order})
        });
        let out = scene.filter(&job("j", "sms", recipients.collect())).await.json();
        let kept = out["segments"][0]["recipients"].as_array().unwrap().iter();
        let kept: Vec<_> =
            kept.map(|it| &orders[usize::try_from(it["order"].as_u64().unwrap()).unwrap()]).collect();
        let all = if *expected == "kept" { orders.len() } else { 0 };
        assert_eq!(kept.len(), all, "story {number}: {who} must be {expected}, and is kept after {kept:?}");
        let removed = &out["suppression"]["segments"][0]["removed"];
        let of_reason = removed[*expected].as_u64().unwrap_or_default();
        let expected_of_reason = (orders.len() - all) as u64;
        assert_eq!(of_reason, expected_of_reason, "story {number}: {who} must be {expected}: {removed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_identifier_takes_along_what_was_said_before_it_in_whatever_order_all_arrives() {
    let stories = [
        // What was said before the change holds for the new one, what was said after it does not.
        Story {
            lines: &[("opt_out", 3, "A", ""), ("identifier_changed", 5, "A", "B"), ("hold", 7, "A", "")],
            ends: &[('A', "hold"), ('B', "opt_out")],
        },
        // At the time of the change is no later than the change.
        Story {
            lines: &[("complaint", 5, "A", ""), ("identifier_changed", 5, "A", "B")],
            ends: &[('A', "complaint"), ('B', "complaint")],
        },
        // Two changes, one after the other, to an address: a chain.
        Story {
            lines: &[
                ("opt_out", 3, "A", ""),
                ("identifier_changed", 5, "A", "B"),
                ("identifier_changed", 6, "B", "C"),
                ("hold", 7, "A", ""),
            ],
            ends: &[('A', "hold"), ('B', "opt_out"), ('C', "opt_out")],
        },
        // The second link of the chain is the older one: it lets less through.
        Story {
            lines: &[
                ("opt_out", 2, "A", ""),
                ("identifier_changed", 3, "B", "C"),
                ("hold", 4, "A", ""),
                ("identifier_changed", 5, "A", "B"),
            ],
            ends: &[('A', "hold"), ('B', "hold"), ('C', "opt_out")],
        },
        // The change was a mistake: an opt-in of the wrong number undoes it, also for what comes late.
        Story {
            lines: &[
                ("opt_out", 3, "A", ""),
                ("identifier_changed", 5, "A", "B"),
                ("opt_in", 6, "B", ""),
                ("opt_out", 4, "A", ""),
            ],
            ends: &[('A', "opt_out"), ('B', "kept")],
        },
        // From all that a person was known by, to all that is new; and there and back again.
        Story {
            lines: &[
                ("bounce", 3, "A", ""),
                ("identifier_changed", 5, "AD", "BC"),
                ("identifier_changed", 6, "B", "A"),
                ("opt_in", 7, "A", ""),
            ],
            ends: &[('A', "kept"), ('B', "bounce"), ('C', "bounce"), ('D', "kept")],
        },
    ];
    let may = "[sources.call_center]\nmay = ['opt_out', 'opt_in', 'hold', 'complaint', 'bounce', 'identifier_changed']";
    let mut scene = Scene::with(may).await;
    for (number, story) in stories.iter().enumerate() {
        tell(&mut scene, number, story).await;
    }
    scene.end().await;
}

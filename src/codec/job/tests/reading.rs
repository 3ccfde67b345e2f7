//! What a valid job says.

use super::*;
use crate::domain::filter::Given;
use IdentifierKind::{Email, Phone, UserId};

#[test]
fn the_contracts_example_is_read() {
    let body = r#"{
  "job_id": "7b0e\u2026",       "campaign_id": "nauryz-2027",
  "channel": "sms",             "brand": "lulla.kz",
  "purpose": "marketing",       "part": {"index": 0, "of": 12, "note": null},
  "send_until": "2027-03-20T18:00:00+05:00",
  "segments": [
    {"region": "SHY", "recipients": [
      {"user_id": "U-1", "email": "a@b.kz", "phone": "8 (777) 111-31-11", "name": "Айгерім", "vars": {"bonus": 5}}
    ]}
  ]
}"#;
    let job = read(body).unwrap();
    assert_eq!((&*job.job_id, &*job.campaign_id), ("7b0e…", "nauryz-2027"));
    assert_eq!((job.channel, &*job.brand, job.purpose), (Channel::Sms, "lulla.kz", Purpose::Marketing));
    assert_eq!(job.part, Some(Part { index: 0, of: 12 }));
    assert_eq!(job.send_until.unwrap().to_string(), "2027-03-20T13:00:00Z");
    let segments: Vec<_> = job.segments().map(|(code, people)| (code, people.len())).collect();
    assert_eq!(segments, [("KZ-79".into(), 1)]);
    assert!(job.recipients().all(|text| text.starts_with("{\"user_id\"") && text.ends_with("5}}")));
}

#[test]
fn optional_members_may_be_left_out_or_null() {
    let null = job("[]").replacen('{', r#"{"purpose":null,"part":null,"send_until":null,"#, 1);
    for body in [job("[]"), null] {
        let job = read(&body).unwrap();
        assert_eq!((job.purpose, job.part, job.send_until), (Purpose::Marketing, None, None));
    }
}

#[test]
fn identifiers_are_strings_or_integers_and_nothing_else() {
    let text = |text: &'static str| Given::Text(text.into());
    for (json, given) in [
        (r#""17""#, text("17")),
        ("17", text("17")),
        ("-17", text("-17")),
        ("87771113111", text("87771113111")),
        ("340282366920938463463374607431768211456", text("340282366920938463463374607431768211456")),
        (r#""\u0061\/\"b""#, text("a/\"b")),
        (r#"" ""#, text(" ")),
        (r#""\ud83d\ude00""#, text("😀")),
        (r#""""#, Given::Absent),
        ("null", Given::Absent),
        (r#""\ud800""#, Given::Unusable),
        ("7.77E+10", Given::Unusable),
        ("17.0", Given::Unusable),
        ("1e3", Given::Unusable),
        ("true", Given::Unusable),
        ("false", Given::Unusable),
        ("{}", Given::Unusable),
        (r#"["+7"]"#, Given::Unusable),
    ] {
        for kind in [UserId, Email, Phone] {
            let body = job_for(&format!(r#"[{{"a":1, "{kind}" : {json} ,"Phone":"x"}}]"#));
            let job = read(&body).unwrap();
            let (_, people) = job.segments().next().unwrap();
            for &other in IdentifierKind::ALL {
                let expected = if other == kind { &given } else { &Given::Absent };
                assert!(people[0].get(other) == expected, "{kind} {json}");
            }
        }
    }
}

#[test]
fn names_are_compared_with_their_escapes_decoded() {
    let body = job_for(r#"[{"\u0070hone":"+7","\ud800":1,"":2}]"#).replace("region", "r\\u0065gion");
    let job = read(&body).unwrap();
    assert!(*job.segments().next().unwrap().1[0].get(Phone) == Given::Text("+7".into()));
}

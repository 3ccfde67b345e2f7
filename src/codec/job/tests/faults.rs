//! Every reason for which a job is refused, with the place that its detail names.

use super::*;
use crate::domain::words::DeadReason::{
    self, BadJson, BadSchema, TooLarge, UnknownBrand, UnknownChannel, UnknownRegion,
};

/// Checks the reason and that the detail begins with the pointer; no detail shows the canary.
fn check(body: &str, reason: DeadReason, pointer: &str) {
    let fault = read(body).err().unwrap_or_else(|| panic!("accepted: {body}"));
    assert_eq!(fault.reason, reason, "{body}: {fault}");
    let place = fault.detail.split(": ").next().filter(|place| place.starts_with('/'));
    assert_eq!(place.unwrap_or_default(), pointer, "{body}: {fault}");
    assert!(!fault.detail.contains("CANARY"), "{fault}");
}

#[test]
fn what_is_not_json_is_bad_json() {
    let valid = job("[]");
    for body in [
        String::new(),
        " ".into(),
        "{".into(),
        "CANARY".into(),
        format!("\u{feff}{valid}"),
        format!("{valid}}}"),
        format!("{valid} {{}}"),
        valid.replace("\"sms\"", "'sms'"),
        valid.replace("[]", "[,]"),
        valid.replace("[]", "[{\"region\":\"KZ-79\",\"recipients\":[{\"phone\":01}]}]"),
        valid.replace("[]", "[{\"region\":\"KZ-79\",\"recipients\":[{\"x\":\"\\x\"}]}]"),
        valid.replace("[]", "[{\"region\":\"KZ-79\",\"recipients\":[{},]}]"),
        valid.replace("[]", "[{\"region\":\"KZ-79\",\"recipients\":[{}]]"),
    ] {
        check(&body, BadJson, "");
    }
    let not_utf8 = [b"{\"job_id\":\"".as_slice(), &[0xff], b"\"}"].concat();
    let fault = decode(&not_utf8, &JobLimits::default(), &Configured).err().unwrap();
    assert_eq!(fault.reason, BadJson);
    assert_eq!(fault.detail, "the body is not UTF-8 (at byte 11)");
}

#[test]
fn a_cut_document_is_bad_json_wherever_it_ends() {
    let body = job(r#"[{"region":"KZ-79","recipients":[{"phone":"+7","vars":{"a":[1]}},{}]}]"#);
    for end in (0..body.len()).filter(|end| body.is_char_boundary(*end)) {
        check(&body[..end], BadJson, "");
    }
}

#[test]
fn the_contracts_own_members_are_checked() {
    let cases = [
        (r#""7b0e""#, "17", "/job_id"),
        (r#""7b0e""#, r#""""#, "/job_id"),
        (r#""7b0e""#, r#""\ud800""#, "/job_id"),
        (r#""7b0e""#, "null", "/job_id"),
        (r#""job_id""#, r#""job""#, "/job_id"),
        (r#""nauryz-2027""#, r#"["CANARY"]"#, "/campaign_id"),
        (r#""campaign_id""#, r#""campaign""#, "/campaign_id"),
        (r#""sms""#, "1", "/channel"),
        (r#""channel""#, r#""Channel""#, "/channel"),
        (r#""lulla.kz""#, "{}", "/brand"),
        (r#""brand""#, r#""CANARY""#, "/brand"),
        (r#""segments""#, r#""parts""#, "/segments"),
        ("[]", "null", "/segments"),
        ("[]", "{}", "/segments"),
        ("[]", r#""CANARY""#, "/segments"),
        ("[]", "[7]", "/segments/0"),
        ("[]", "[null]", "/segments/0"),
        ("[]", "[{}]", "/segments/0/region"),
        ("[]", r#"[{"region":"KZ-79"}]"#, "/segments/0/recipients"),
        ("[]", r#"[{"region":79,"recipients":[]}]"#, "/segments/0/region"),
        ("[]", r#"[{"recipients":[{}],"region":"KZ-79"},{"recipients":[]}]"#, "/segments/1/region"),
        ("[]", r#"[{"region":"KZ-79","recipients":{}}]"#, "/segments/0/recipients"),
        ("[]", r#"[{"region":"KZ-79","recipients":[{},"CANARY"]}]"#, "/segments/0/recipients/1"),
        ("[]", r#"[{"region":"KZ-79","recipients":[null]}]"#, "/segments/0/recipients/0"),
    ];
    for (old, new, pointer) in cases {
        check(&job("[]").replace(old, new), BadSchema, pointer);
    }
    check("[]", BadSchema, "");
    check("\"CANARY\"", BadSchema, "");
    check("{}", BadSchema, "/job_id");
    check(&job("[]").replace("7b0e", &"é".repeat(65)), BadSchema, "/job_id");
    assert!(read(&job("[]").replace("7b0e", &"é".repeat(64))).is_ok());
}

#[test]
fn the_optional_members_are_checked() {
    for (member, pointer) in [
        (r#""purpose":"CANARY""#, "/purpose"),
        (r#""purpose":"""#, "/purpose"),
        (r#""purpose":false"#, "/purpose"),
        (r#""part":[]"#, "/part"),
        (r#""part":{}"#, "/part/index"),
        (r#""part":{"index":0}"#, "/part/of"),
        (r#""part":{"index":"0","of":1}"#, "/part/index"),
        (r#""part":{"index":-1,"of":1}"#, "/part/index"),
        (r#""part":{"index":0.0,"of":1}"#, "/part/index"),
        (r#""part":{"index":12,"of":12}"#, "/part/index"),
        (r#""part":{"index":0,"of":0}"#, "/part/index"),
        (r#""part":{"index":0,"of":4294967296}"#, "/part/of"),
        (r#""part":{"index":0,"of":1,"\u006ff":1}"#, "/part/of"),
        (r#""send_until":"2027-03-20""#, "/send_until"),
        (r#""send_until":"2027-03-20T18:00:00""#, "/send_until"),
        (r#""send_until":1742000000"#, "/send_until"),
    ] {
        check(&job("[]").replacen('{', &format!("{{{member},"), 1), BadSchema, pointer);
    }
}

#[test]
fn a_member_that_the_contract_names_stands_once() {
    for name in [
        "job_id",
        "campaign_id",
        "channel",
        "brand",
        "purpose",
        "part",
        "send_until",
        "segments",
        "suppression",
    ] {
        let twice = format!(r#"{{"{name}":[],"x":1,"x":2,"\u{:04x}{}":[]}}"#, name.as_bytes()[0], &name[1..]);
        check(&twice, BadSchema, &format!("/{name}"));
    }
    for (segment, pointer) in [
        (r#""region":"KZ-79","r\u0065gion":"KZ-79""#, "region"),
        (r#""recipients":[],"recipients":[]"#, "recipients"),
    ] {
        check(&job(&format!("[{{{segment}}}]")), BadSchema, &format!("/segments/0/{pointer}"));
    }
    for name in ["user_id", "email", "phone"] {
        let recipients = format!(r#"[{{}},{{"{name}":null,"{name}":null}}]"#);
        check(&job_for(&recipients), BadSchema, &format!("/segments/0/recipients/1/{name}"));
    }
    assert!(read(&job_for(r#"[{"name":1,"name":2,"vars":{"phone":1,"phone":2}}]"#)).is_ok());
}

#[test]
fn unknown_names_come_last_and_in_their_order() {
    let body = job(r#"[{"region":"KZ-79","recipients":[]},{"region":"CANARY","recipients":[]}]"#);
    check(&body, UnknownRegion, "/segments/1/region");
    let body = body.replace("lulla.kz", "CANARY");
    check(&body, UnknownBrand, "/brand");
    let body = body.replace("sms", "fax");
    check(&body, UnknownChannel, "/channel");
    check(&body.replace("nauryz-2027\"", "nauryz-2027\",\"purpose\":\"x\""), BadSchema, "/purpose");
    check(&body.replace("\"region\"", "\"\""), BadSchema, "/segments/0/region");
    check(&body.replace("]}]}", "]}]"), BadJson, "");
}

#[test]
fn bad_json_comes_before_what_stands_in_front_of_it() {
    for segments in ["[7", "{} x", r#"[{"region":"KZ-79","region":"KZ-79",]"#] {
        check(&job(segments), BadJson, "");
    }
}

#[test]
fn a_job_beyond_a_limit_is_too_large() {
    let limits = JobLimits { unpacked_bytes_max: 400, recipients_max: 3, segments_max: 2 };
    let check = |body: &str, detail: &str| {
        let fault = decode(body.as_bytes(), &limits, &Configured).err().unwrap();
        assert_eq!((fault.reason, &*fault.detail), (TooLarge, detail));
    };
    let segment = |recipients| format!(r#"{{"region":"KZ-79","recipients":[{recipients}]}}"#);
    let fits = job(&format!("[{},{}]", segment("{},{}"), segment("{}")));
    let fits = format!("{fits:400}");
    assert!(decode(fits.as_bytes(), &limits, &Configured).is_ok());
    check(&format!("{fits} "), "the body has more than 400 bytes");
    let body = job(&format!("[{},{}]", segment("{},{}"), segment("{},{}")));
    check(&body, "/segments/1/recipients/1: the job has more than 3 recipients");
    let body = job(&format!("[{0},{0},{0}]", segment("")));
    check(&body, "/segments: the job has more than 2 segments");
}

#[test]
fn nesting_is_bounded_and_takes_no_stack() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let places = [
        (1, "", job("[]").replacen('{', r#"{"x":DEEP,"#, 1)),
        (3, "/segments/0", job(r#"[{"x":DEEP,"region":"KZ-79","recipients":[]}]"#)),
        (4, "/segments/0/recipients/0", job_for(r#"[{"phone":DEEP}]"#)),
    ];
    for (around, pointer, body) in places {
        let own = usize::from(around == 4);
        let fits = NESTING_LEVELS_MAX - around - own;
        let accepted = body.replace("DEEP", &nested(fits));
        assert!(serde_json::from_str::<serde_json::Value>(&filter(&accepted)).is_ok());
        check(&body.replace("DEEP", &nested(fits + 1)), BadJson, pointer);
        check(&body.replace("DEEP", &nested(100_000)), BadJson, pointer);
        // Brackets in strings and side by side are not depth.
        let wide = format!("[\"{}\\\"\",{}[]]", "[".repeat(500), "[],".repeat(500));
        assert!(read(&body.replace("DEEP", &wide)).is_ok());
    }
    check(&"[".repeat(100_000), BadJson, "");
    check(&nested(100_000), BadSchema, "");
}

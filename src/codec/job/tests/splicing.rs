//! What goes out, byte for byte.

use super::*;

const ADDED: &str = r#","suppression":{"revision":18231,"filtered_at":"2027-03-19T05:00:00Z","segments":[]}"#;

/// The array of recipients in the output for this one in the input.
fn recipients(array: &str) -> String {
    let output = filter(&job_for(array));
    let start = output.find("\"recipients\":").unwrap() + "\"recipients\":".len();
    let end = output.find("}],\"suppression\"").unwrap();
    output[start..end].to_owned()
}

#[test]
fn removed_recipients_take_one_comma_with_them() {
    const H: &str = r#"{"user_id":"hold"}"#;
    for (input, output) in [
        ("[]", "[]"),
        ("[ ]", "[ ]"),
        (r#"[{"user_id":1}]"#, r#"[{"user_id":1}]"#),
        (r#"[{"user_id":1} , {"user_id":2}]"#, r#"[{"user_id":1} , {"user_id":2}]"#),
        ("[H]", "[]"),
        ("[H,H,H]", "[]"),
        ("[\n  H,\n  H\n]", "[\n  \n]"),
        (r#"[H,{"user_id":1}]"#, r#"[{"user_id":1}]"#),
        (r#"[{"user_id":1},H]"#, r#"[{"user_id":1}]"#),
        (r#"[{"user_id":1},H,{"user_id":2}]"#, r#"[{"user_id":1},{"user_id":2}]"#),
        (r#"[H,H,{"user_id":1},H,H,{"user_id":2},H,H]"#, r#"[{"user_id":1},{"user_id":2}]"#),
        (
            "[\n  {\"user_id\":1},\n  H ,\n  {\"user_id\":2}\n]",
            "[\n  {\"user_id\":1} ,\n  {\"user_id\":2}\n]",
        ),
        ("[\n  H,\n  {\"user_id\":1}\n]", "[\n  {\"user_id\":1}\n]"),
        ("[\n  {\"user_id\":1}\t,\r\n  H\n]", "[\n  {\"user_id\":1}\n]"),
    ] {
        assert_eq!(recipients(&input.replace('H', H)), output, "{input}");
    }
}

#[test]
fn an_old_suppression_goes_wherever_it_stands() {
    let rest = r#""job_id":"1","campaign_id":"c","channel":"sms","brand":"lulla.kz""#;
    for (input, output) in [
        (r#"{R,"segments":[],"suppression":1}"#, r#"{R,"segments":[]S}"#),
        (r#"{R,"segments":[] , "suppression":{"a":[1]} }"#, r#"{R,"segments":[]S }"#),
        (r#"{"suppression":null,R,"segments":[]}"#, r#"{R,"segments":[]S}"#),
        (r#"{ "suppression" : "x" , R,"segments":[]}"#, r#"{ R,"segments":[]S}"#),
        (r#"{R, "suppre\u0073sion":[], "segments":[] }"#, r#"{R, "segments":[]S }"#),
        (r#"{"segments":[],"suppression":1,R}"#, r#"{"segments":[],RS}"#),
        (" {\"segments\":[],\n R\n}\n ", " {\"segments\":[],\n RS\n}\n "),
    ] {
        let (input, output) = (input.replace('R', rest), output.replace('R', rest).replace('S', ADDED));
        assert_eq!(filter(&input), output, "{input}");
    }
}

#[test]
fn an_old_suppression_and_recipients_go_together() {
    let segments = r#"[{"region":"KZ-79","recipients":[{"user_id":"hold"},{"user_id":1}]}]"#;
    let last = job(segments).replace("}]}]}", "}]}],\"suppression\":0}");
    let first = job(segments).replacen('{', "{\"suppression\":0,", 1);
    assert_ne!(first, last);
    assert_eq!(filter(&first), filter(&job(segments)));
    assert_eq!(filter(&last), filter(&job(segments)));
}

#[test]
fn the_sums_stand_last_with_the_region_as_written() {
    let body = job(concat!(
        r#"[{"recipients":[{"user_id":"opt_out"},{"user_id":"hold"},{"user_id":"bounce"},{}],"#,
        r#""region":"\u0428ымкент","x":1},{"region" : "SHY","recipients":[{"user_id":"complaint"},{"phone":"+7"}]}]"#,
    ));
    let added = concat!(
        r#"[{"recipients":[],"region":"\u0428ымкент","x":1},{"region" : "SHY","recipients":[{"phone":"+7"}]}],"#,
        r#""suppression":{"revision":18231,"filtered_at":"2027-03-19T05:00:00Z","segments":["#,
        r#"{"region":"\u0428ымкент","received":4,"kept":0,"#,
        r#""removed":{"opt_out":1,"hold":1,"complaint":0,"bounce":1,"unidentifiable":1}},"#,
        r#"{"region":"SHY","received":2,"kept":1,"#,
        r#""removed":{"opt_out":0,"hold":0,"complaint":1,"bounce":0,"unidentifiable":0}}]}}"#,
    );
    let output = filter(&body);
    assert!(output.ends_with(added), "{output}");
}

#[test]
fn the_report_has_the_sums_and_no_people() {
    let body = job_for(r#"[{"user_id":"hold"},{"phone":"+7"}]"#).replacen(
        '{',
        r#"{"part":{"index":1,"of":2},"send_until":"2027-03-19T10:00:00.5+05:00","#,
        1,
    );
    let report = |body: &str| {
        let job = read(body).unwrap();
        String::from_utf8(report(&job, &verdicts(&job), stamp())).unwrap()
    };
    let expected = concat!(
        r#"{"job_id":"7b0e","campaign_id":"nauryz-2027","channel":"sms","brand":"lulla.kz","#,
        r#""purpose":"marketing","part":{"index":1,"of":2},"revision":18231,"#,
        r#""filtered_at":"2027-03-19T05:00:00Z","past_send_until":false,"segments":[{"region":"KZ-79","#,
        r#""received":2,"kept":1,"removed":{"opt_out":0,"hold":1,"complaint":0,"bounce":0,"unidentifiable":0}}]}"#,
    );
    assert_eq!(report(&body), expected);
    let past = report(&body.replace("10:00:00.5", "09:59:59"));
    assert_eq!(past, expected.replace("false", "true"));
    let bare = report(&job("[]"));
    assert!(
        bare.contains(r#""part":null"#) && bare.contains(r#""past_send_until":false,"segments":[]"#),
        "{bare}"
    );
}

#[test]
fn the_output_is_made_in_one_allocation() {
    let many = [r#"{"user_id":1}"#; 500].join(",");
    let segment = format!(r#"{{"region":"KZ-79","recipients":[{many}]}}"#);
    let body = job(&format!("[{}]", [segment.as_str(); 64].join(",")));
    let job = read(&body).unwrap();
    let output = filtered(&job, &verdicts(&job), stamp());
    let asked = body.len() + 128 + 64 * (256 + "\"KZ-79\"".len());
    assert_eq!(output.capacity(), asked);
}

//! What is true of the messages that suppressd publishes, and no schema says: sums, and what belongs together.

use serde_json::{Map, Value};

/// What is wrong with a message that is what its document says.
pub(crate) fn wrong_in(document: &str, message: &Value) -> Option<&'static str> {
    let wrong: &[(bool, &str)] = match document {
        "filtered-job.schema.json" => &of_filtered(message),
        "report-job.schema.json" | "report-campaign.schema.json" => {
            &[(!items(&message["segments"]).iter().all(sums_up), "received is kept plus removed")]
        }
        "receipt.schema.json" => &of_receipt(message),
        _ => &[],
    };
    wrong.iter().find_map(|(is_wrong, rule)| is_wrong.then_some(*rule))
}

fn of_filtered(filtered: &Value) -> [(bool, &'static str); 4] {
    let (segments, sums) = (items(&filtered["segments"]), items(&filtered["suppression"]["segments"]));
    let pairs = || segments.iter().zip(sums);
    let kept = |(segment, sums): (&Value, &Value)| sums["kept"] == items(&segment["recipients"]).len();
    [
        (segments.len() != sums.len(), "each segment has its sums"),
        (!sums.iter().all(sums_up), "received is kept plus removed"),
        (!pairs().all(kept), "kept are those that are there"),
        (!pairs().all(|(segment, sums)| sums["region"] == segment["region"]), "the region is as written"),
    ]
}

fn sums_up(sums: &Value) -> bool {
    let removed = sums["removed"].as_object().into_iter().flat_map(Map::values);
    let all: u64 = removed.chain([&sums["kept"]]).filter_map(Value::as_u64).sum();
    sums["received"] == all
}

fn of_receipt(receipt: &Value) -> [(bool, &'static str); 5] {
    let status = receipt["status"].as_str().unwrap_or_default();
    let [in_force, since, refused] =
        ["revision", "effective_at", "reason"].map(|member| !receipt[member].is_null());
    [
        (in_force != since, "what is in force has a revision and a time"),
        (status == "applied" && !in_force, "what is applied is in force"),
        (refused && in_force, "what is refused is not in force"),
        (status == "rejected" && !refused, "a refusal has a reason"),
        (refused && !["rejected", "duplicate"].contains(&status), "only a refusal has a reason"),
    ]
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

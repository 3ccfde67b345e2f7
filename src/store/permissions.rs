//! What suppressd's user must be allowed to do in Redis, and which of it is refused.
//!
//! A script asks Redis about each command and runs none (`redis.acl_check_cmd`, Redis 7): it needs no permission that
//! a worker does not need, and changes nothing. A test holds the table to what this part of the program sends.

use redis::{RedisError, aio::MultiplexedConnection, cmd};

/// Stands for a key under our prefix.
const KEY: &str = "";

/// Every command that the product sends, or calls in a script, with arguments that it might have.
const COMMANDS: [&[&str]; 36] = [
    &["DEL", KEY],
    &["EVALSHA", "0000000000000000000000000000000000000000", "1", KEY],
    &["EXISTS", KEY],
    &["GET", KEY],
    &["HDEL", KEY, "f"],
    &["HGET", KEY, "f"],
    &["HGETALL", KEY],
    &["HINCRBY", KEY, "f", "1"],
    &["HLEN", KEY],
    &["HMGET", KEY, "f"],
    &["HSET", KEY, "f", "v"],
    &["HSETNX", KEY, "f", "v"],
    &["INCR", KEY],
    &["INFO", "server"],
    &["PEXPIRE", KEY, "1"],
    &["RENAME", KEY, KEY],
    &["ROLE"],
    &["SCAN", "0"],
    &["SCRIPT", "LOAD", "return 1"],
    &["SET", KEY, "v"],
    &["TIME"],
    &["UNLINK", KEY],
    &["WAIT", "0", "1"],
    &["XADD", KEY, "*", "f", "v"],
    &["XREAD", "STREAMS", KEY, "0"],
    &["XTRIM", KEY, "MAXLEN", "1"],
    &["ZADD", KEY, "1", "m"],
    &["ZCARD", KEY],
    &["ZCOUNT", KEY, "0", "1"],
    &["ZRANGEBYSCORE", KEY, "0", "1"],
    &["ZREM", KEY, "m"],
    &["HELLO", "2"],
    &["PING"],
    &["SELECT", "0"],
    &["CLIENT", "SETNAME", "n"],
    &["CONFIG", "GET", "appendfsync"],
];

const SCRIPT: &str = include_str!("scripts/permissions.lua");

/// The names of what is refused. `key` is one under our prefix; it need not be there.
pub(super) async fn refused(
    connection: &mut MultiplexedConnection,
    key: &str,
) -> Result<Vec<String>, RedisError> {
    let mut ask = cmd("EVAL");
    ask.arg(SCRIPT).arg(0);
    for command in COMMANDS {
        ask.arg(command.len());
        for word in command {
            ask.arg(if *word == KEY { key } else { word });
        }
    }
    let places: Vec<usize> = ask.query_async(connection).await?;
    Ok(places.into_iter().filter_map(|place| COMMANDS.get(place.checked_sub(1)?)).map(|c| name(c)).collect())
}

/// As `users.acl` writes it, in capitals.
fn name(command: &[&str]) -> String {
    match command {
        ["SCRIPT" | "CLIENT" | "CONFIG", sub, ..] => format!("{}|{sub}", command[0]),
        _ => command[0].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn asked() -> BTreeSet<String> {
        COMMANDS.iter().map(|command| name(command)).collect()
    }

    #[test]
    fn whatever_is_asked_for_is_granted_by_the_users_that_are_shipped() {
        let shipped = include_str!("../../deploy/redis/users.acl");
        let granted: BTreeSet<String> = shipped
            .split_whitespace()
            .filter_map(|word| word.strip_prefix('+'))
            .map(str::to_uppercase)
            .collect();
        let missing: Vec<_> = asked().difference(&granted).cloned().collect();
        assert!(missing.is_empty(), "deploy/redis/users.acl lacks {missing:?}");
    }

    #[test]
    fn whatever_this_part_of_the_program_sends_is_asked_for() {
        let asked = asked();
        let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
        let files = [store.clone(), store.join("scripts")].map(|place| std::fs::read_dir(place).unwrap());
        let mut seen = 0;
        for file in files.into_iter().flatten().flatten().filter(|file| file.path().is_file()) {
            let text = std::fs::read_to_string(file.path()).unwrap();
            for begin in ["call('", "cmd(\""] {
                for rest in text.split(begin).skip(1) {
                    let command: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                    let known = asked.iter().any(|name| name.split('|').next() == Some(&*command));
                    // The one that asks is refused by itself, if it is; Sentinels are other servers.
                    let elsewhere = ["EVAL", "SENTINEL"].contains(&&*command);
                    assert!(known || elsewhere || command.is_empty(), "{command} in {file:?}");
                    seen += usize::from(known);
                }
            }
        }
        assert!(seen > 50, "this test looks in the wrong place: {seen}");
    }
}

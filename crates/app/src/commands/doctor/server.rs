//! What the examination of PostgreSQL means.

use jiff::SignedDuration;
use rollbook_store_postgres::{Examination, Skew};

use super::finding::{Check, size};

pub const REACH: &str = "store-reachable";
pub const MIGRATIONS: &str = "store-migrations";
const VERSION: &str = "store-version";
const MODE: &str = "store-writable";
const PRIVILEGES: &str = "store-privileges";
const DURABILITY: &str = "store-durability";
const CONNECTIONS: &str = "store-connections";
const CLOCK: &str = "store-clock";
const SIZE: &str = "store-size";

const OLDEST: i32 = 13;

/// Beyond this, times that two machines write beside each other mislead.
const SKEWED: SignedDuration = SignedDuration::from_secs(2);

/// What is asked once the server answers; each says that it was not looked at when it does not.
pub const INSIDE: [&str; 8] = [VERSION, MIGRATIONS, MODE, PRIVILEGES, DURABILITY, CONNECTIONS, CLOCK, SIZE];

pub fn findings(found: &Examination) -> Vec<Check> {
    let mut checks = vec![Check::ok(REACH, format!("PostgreSQL answers, as {}", found.role)), version(found)];
    checks.push(migrations(&found.pending));
    checks.push(mode(found));
    checks.extend(privileges(found));
    checks.extend(durability(found));
    checks.push(connections(found));
    checks.push(clock(found.clock));
    checks.push(Check::ok(SIZE, format!("the database has {}", size(found.size_bytes.unsigned_abs()))));
    checks
}

fn version(found: &Examination) -> Check {
    let detail = format!("PostgreSQL {}, {}", found.version, found.encoding);
    if found.version_number / 10_000 < OLDEST {
        return Check::problem(VERSION, detail, format!("upgrade it to PostgreSQL {OLDEST} or newer"));
    }
    if found.encoding != "UTF8" {
        let todo =
            "make a new database with `createdb --encoding=UTF8 --template=template0` and move the records there";
        return Check::problem(VERSION, detail, todo);
    }
    Check::ok(VERSION, detail)
}

/// The same for both stores.
pub fn migrations(pending: &Result<Vec<&'static str>, String>) -> Check {
    match pending {
        Ok(names) if names.is_empty() => Check::ok(MIGRATIONS, "the schema is the one of this release"),
        Ok(names) => {
            let detail = format!("the schema lacks {}", names.join(", "));
            Check::problem(MIGRATIONS, detail, "run `rollbook migrate`")
        }
        Err(sentence) => {
            let (detail, todo) = sentence.split_once("; ").unwrap_or((sentence, "run `rollbook migrate`"));
            Check::problem(MIGRATIONS, detail, todo)
        }
    }
}

fn mode(found: &Examination) -> Check {
    if found.standby {
        return Check::problem(MODE, "the server is a standby and takes no writes", "name the primary in `store.url`");
    }
    if found.read_only {
        let detail = "sessions of this role are read-only";
        let todo = format!("run: {}", found.let_write());
        return Check::problem(MODE, detail, todo);
    }
    Check::ok(MODE, "the server takes writes")
}

fn privileges(found: &Examination) -> Vec<Check> {
    let Examination { role, .. } = found;
    let mut checks = Vec::new();
    if !found.lacking.is_empty() {
        let detail = format!("{role} lacks {}", found.lacking.join(", "));
        checks.push(Check::problem(PRIVILEGES, detail, format!("run: {}", found.grant_tables())));
    }
    let migrates = found.pending.as_ref().is_ok_and(|pending| !pending.is_empty());
    if migrates && !found.may_create {
        let detail = format!("{role} may make no tables, as `rollbook migrate` must");
        checks.push(Check::problem(PRIVILEGES, detail, format!("run: {}", found.grant_create())));
    }
    if found.superuser {
        let detail = format!("{role} is a superuser, who may do anything to every database of the server");
        let todo = "make a role with `createuser rollbook`, let it own the database, and name it in `store.url`";
        checks.push(Check::warning(PRIVILEGES, detail, todo));
    }
    if checks.is_empty() {
        checks.push(Check::ok(PRIVILEGES, format!("{role} may do what is needed")));
    }
    checks
}

/// What was acknowledged must be there after the power was lost.
fn durability(found: &Examination) -> Vec<Check> {
    let commits = !["off", "local"].contains(&found.synchronous_commit.as_str());
    let settings = [
        ("fsync", found.syncs, true),
        ("full_page_writes", found.writes_full_pages, true),
        ("synchronous_commit", commits, found.synchronous_commit == "off"),
    ];
    let mut checks: Vec<Check> = settings
        .iter()
        .filter(|(_, well, _)| !well)
        .map(|(name, _, loses)| {
            let todo = format!("run: {}", Examination::turn_on(name));
            if *loses {
                Check::problem(DURABILITY, format!("{name} is off: records can be lost with the power"), todo)
            } else {
                let detail = format!("{name} is `{}`: a standby may lack what was committed", found.synchronous_commit);
                Check::warning(DURABILITY, detail, todo)
            }
        })
        .collect();
    if checks.is_empty() {
        checks.push(Check::ok(DURABILITY, "commits are on the disk before they are answered"));
    }
    checks
}

fn connections(found: &Examination) -> Check {
    let (wanted, room, taken) = (i64::from(found.wanted), found.room, found.taken);
    let limit = found.role_limit.map_or(room, |limit| limit.min(room));
    if wanted > limit {
        let detail = format!("one process opens up to {wanted} connections, and the server allows {limit}");
        return Check::problem(CONNECTIONS, detail, "raise `max_connections` there, or lower `worker.per_processor`");
    }
    if taken + wanted > room {
        let detail = format!("{taken} of {room} connections are taken, and one more process opens up to {wanted}");
        return Check::warning(CONNECTIONS, detail, "raise `max_connections` there before you start another process");
    }
    Check::ok(CONNECTIONS, format!("{taken} of {room} connections are taken; a process opens up to {wanted}"))
}

/// Only what is certain counts: the answer was some time on its way.
fn clock(skew: Skew) -> Check {
    let (off, side) = (skew.ahead.abs(), if skew.ahead.is_negative() { "behind" } else { "ahead of" });
    let seconds = off.as_secs_f64();
    if off > SKEWED + skew.give_or_take {
        let detail = format!("the server's clock is {seconds:.1} s {side} this machine's");
        return Check::warning(CLOCK, detail, "set both by the same time server (`timedatectl set-ntp true`)");
    }
    if skew.give_or_take > SKEWED {
        return Check::unseen(CLOCK, "the server answered too slowly to compare clocks", "run this again");
    }
    Check::ok(CLOCK, format!("the server's clock is {seconds:.1} s {side} this machine's"))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;

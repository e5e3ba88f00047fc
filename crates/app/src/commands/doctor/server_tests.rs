use super::super::finding::Status;
use super::*;

fn well() -> Examination {
    Examination {
        version_number: 150_004,
        version: "15.4".to_owned(),
        pending: Ok(Vec::new()),
        encoding: "UTF8".to_owned(),
        syncs: true,
        writes_full_pages: true,
        synchronous_commit: "on".to_owned(),
        standby: false,
        read_only: false,
        room: 97,
        taken: 10,
        role_limit: None,
        wanted: 8,
        superuser: false,
        role: "rollbook".to_owned(),
        schema: "public".to_owned(),
        may_create: true,
        lacking: Vec::new(),
        size_bytes: 8 << 20,
        clock: Skew { ahead: SignedDuration::ZERO, give_or_take: SignedDuration::from_millis(1) },
    }
}

/// The findings, as `name` and whether it is a problem, with what to do.
fn found(examination: &Examination) -> Vec<(&'static str, Status, String)> {
    let checks = findings(examination);
    for name in INSIDE {
        assert!(checks.iter().any(|check| check.name == name), "{name} is told");
    }
    let bad = checks.into_iter().filter(|check| check.status != Status::Ok);
    bad.map(|check| (check.name, check.status, check.todo.expect("what to do"))).collect()
}

#[test]
fn a_server_that_is_well_has_no_finding() {
    assert_eq!(found(&well()), []);
}

#[test]
fn each_fact_has_its_finding() {
    let (problem, warning) = (Status::Problem, Status::Warning);
    for (examination, name, status, todo) in [
        (Examination { version_number: 120_017, ..well() }, VERSION, problem, "upgrade"),
        (Examination { encoding: "SQL_ASCII".to_owned(), ..well() }, VERSION, problem, "UTF8"),
        (Examination { pending: Ok(vec!["0008_probe"]), ..well() }, MIGRATIONS, problem, "rollbook migrate"),
        (Examination { pending: Err("newer; install it".to_owned()), ..well() }, MIGRATIONS, problem, "install it"),
        (Examination { standby: true, ..well() }, MODE, problem, "primary"),
        (Examination { read_only: true, ..well() }, MODE, problem, "ALTER ROLE rollbook"),
        (Examination { lacking: vec!["INSERT on term".to_owned()], ..well() }, PRIVILEGES, problem, "GRANT"),
        (Examination { superuser: true, ..well() }, PRIVILEGES, warning, "createuser"),
        (Examination { syncs: false, ..well() }, DURABILITY, problem, "SET fsync = on"),
        (Examination { writes_full_pages: false, ..well() }, DURABILITY, problem, "full_page_writes"),
        (Examination { synchronous_commit: "off".to_owned(), ..well() }, DURABILITY, problem, "synchronous_commit"),
        (Examination { synchronous_commit: "local".to_owned(), ..well() }, DURABILITY, warning, "synchronous_commit"),
        (Examination { room: 7, ..well() }, CONNECTIONS, problem, "max_connections"),
        (Examination { role_limit: Some(3), ..well() }, CONNECTIONS, problem, "max_connections"),
        (Examination { taken: 90, ..well() }, CONNECTIONS, warning, "max_connections"),
    ] {
        let findings = found(&examination);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].0, findings[0].1), (name, status));
        assert!(findings[0].2.contains(todo), "{findings:?}");
    }
}

#[test]
fn who_must_migrate_must_be_able_to() {
    let findings = found(&Examination { pending: Ok(vec!["0001_idempotency"]), may_create: false, ..well() });
    assert!(
        findings.iter().any(|(name, _, todo)| *name == PRIVILEGES && todo.contains("GRANT CREATE ON SCHEMA public"))
    );
}

#[test]
fn only_a_skew_that_is_certain_is_one() {
    let ms = SignedDuration::from_millis;
    for (ahead, give_or_take, expected) in [
        (2_500, 10, Status::Warning),
        (-2_500, 10, Status::Warning),
        (1_900, 10, Status::Ok),
        (2_500, 1_000, Status::Ok),
        (0, 2_500, Status::Warning),
    ] {
        let skew = Skew { ahead: ms(ahead), give_or_take: ms(give_or_take) };
        assert_eq!(clock(skew).status, expected, "{ahead} ± {give_or_take}");
    }
}

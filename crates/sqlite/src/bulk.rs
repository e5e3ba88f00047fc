//! One statement for many rows.
//!
//! Each statement crosses to the connection's own thread and back, so a row at a time is three to
//! five times slower than many rows a statement. The texts come in powers of two: any number of
//! rows is a sum of few of them, so the statement cache (keyed by text) always hits. Rejected: a
//! text for each number of rows (thousands of prepared statements), and one JSON argument unpacked
//! by `json_each` (no blobs, and numbers lose their type).

use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

/// What a row's values are bound to.
pub type BulkQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// SQLite's own limit on the arguments of one statement.
const MOST_BINDS: usize = 32_766;

/// Above this many rows a longer statement is no faster, and a cached statement holds the values
/// it was last given until its next use.
const MOST_ROWS: usize = 256;

/// A statement whose one `VALUES (?, …)` group is repeated for as many rows as there are. Works
/// for `INSERT … VALUES (?, ?)`, `… WHERE id IN (VALUES (?))` and
/// `UPDATE … FROM (VALUES (?, ?)) AS v WHERE id = v.column1`.
#[derive(Debug)]
pub struct Bulk {
    /// The text for 1, 2, 4, … rows.
    texts: Vec<Arc<str>>,
}

impl Bulk {
    /// # Panics
    /// If the text has no `VALUES (` group with a `?` in it, or a `?` outside of it: a mistake in
    /// the program, which the first test that uses the statement finds.
    pub fn new(sql: &str) -> Self {
        Self::at_most(sql, MOST_ROWS)
    }

    /// Like [`Bulk::new`] with fewer rows a statement (at least 1), for rows with long values.
    pub fn at_most(sql: &str, rows: usize) -> Self {
        let (before, group, after) = split(sql);
        let binds = group.matches('?').count();
        assert!(binds > 0, "no argument in the VALUES group: {sql}");
        assert!(!before.contains('?') && !after.contains('?'), "an argument outside the VALUES group: {sql}");
        let limit = rows.clamp(1, MOST_BINDS / binds);
        let sizes = std::iter::successors(Some(1), |size| Some(size * 2)).take_while(|size| *size <= limit);
        let texts = sizes.map(|size| format!("{before}{}{after}", vec![group; size].join(", ")).into());
        Self { texts: texts.collect() }
    }

    /// Runs the statement over all rows, in their order, and returns how many rows it changed. It
    /// may take several statements: begin a transaction for all or nothing.
    pub async fn execute<R: Sync>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(BulkQuery, &R) -> BulkQuery + Send,
    ) -> Result<u64, sqlx::Error> {
        let mut changed = 0;
        let mut rest = rows;
        while let Some((text, chunk, left)) = self.next(rest) {
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
            changed += query.execute(&mut *connection).await?.rows_affected();
            rest = left;
        }
        Ok(changed)
    }

    /// Like [`Bulk::execute`], for a statement that returns rows (`SELECT …`, `… RETURNING`).
    pub async fn fetch<R: Sync>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(BulkQuery, &R) -> BulkQuery + Send,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        let mut rest = rows;
        while let Some((text, chunk, left)) = self.next(rest) {
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
            found.extend(query.fetch_all(&mut *connection).await?);
            rest = left;
        }
        Ok(found)
    }

    /// The longest text that the rows fill, its rows, and the others.
    fn next<'r, R>(&self, rows: &'r [R]) -> Option<(Arc<str>, &'r [R], &'r [R])> {
        let power = (rows.len().checked_ilog2()? as usize).min(self.texts.len() - 1);
        let (chunk, left) = rows.split_at(1 << power);
        Some((Arc::clone(&self.texts[power]), chunk, left))
    }
}

/// The text before the group, the group with its parentheses, and the text after it.
fn split(sql: &str) -> (&str, &str, &str) {
    let start = sql.to_ascii_uppercase().find("VALUES (").map(|at| at + "VALUES ".len());
    let start = start.unwrap_or_else(|| panic!("no `VALUES (` group: {sql}"));
    let mut depth = 0_usize;
    let end = sql[start..].find(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        depth == 0
    });
    let end = start + end.unwrap_or_else(|| panic!("the VALUES group has no end: {sql}")) + 1;
    (&sql[..start], &sql[start..end], &sql[end..])
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Row as _};

    use super::*;

    async fn table() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }

    #[tokio::test]
    async fn every_number_of_rows_is_written_once_and_in_order() {
        let insert = Bulk::at_most("INSERT INTO t (id, word) values (?, lower(?)) ON CONFLICT DO NOTHING", 8);
        for count in 0..40_i64 {
            let mut connection = table().await;
            let rows: Vec<(i64, String)> = (0..count).map(|id| (id, format!("W{id}"))).collect();
            let bind = |query: BulkQuery, row: &(i64, String)| query.bind(row.0).bind(row.1.clone());
            assert_eq!(insert.execute(&mut connection, &rows, bind).await.unwrap(), u64::try_from(count).unwrap());
            assert_eq!(insert.execute(&mut connection, &rows, bind).await.unwrap(), 0);
            let words: Vec<String> =
                sqlx::query_scalar("SELECT word FROM t ORDER BY id").fetch_all(&mut connection).await.unwrap();
            assert_eq!(words, (0..count).map(|id| format!("w{id}")).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn in_lists_and_updates_from_values_work_and_return_rows() {
        let mut connection = table().await;
        let ids: Vec<i64> = (0..1_000).collect();
        let insert = Bulk::new("INSERT INTO t (id, word) VALUES (?, 'x')");
        insert.execute(&mut connection, &ids, |query, id| query.bind(*id)).await.unwrap();
        let update = Bulk::new("UPDATE t SET word = v.column2 FROM (VALUES (?, ?)) AS v WHERE id = v.column1");
        let bind = |query: BulkQuery, id: &i64| query.bind(*id).bind(format!("n{id}"));
        assert_eq!(update.execute(&mut connection, &ids[..700], bind).await.unwrap(), 700);
        let delete = Bulk::new("DELETE FROM t WHERE id IN (VALUES (?)) RETURNING word");
        let gone = delete.fetch(&mut connection, &ids[..501], |query, id| query.bind(*id)).await.unwrap();
        let mut words: Vec<String> = gone.iter().map(|row| row.get(0)).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!((words.len(), words[0].as_str()), (501, "n0"));
    }

    #[test]
    fn a_statement_stays_within_the_limit_on_arguments() {
        let wide = Bulk::at_most(&format!("INSERT INTO t VALUES ({})", vec!["?"; 1_000].join(", ")), 10_000);
        assert_eq!(wide.texts.len(), 6);
        assert!(wide.texts.iter().all(|text| text.matches('?').count() <= MOST_BINDS));
    }

    #[test]
    #[should_panic(expected = "outside the VALUES group")]
    fn an_argument_outside_the_group_is_refused() {
        Bulk::new("INSERT INTO t VALUES (?) ON CONFLICT DO UPDATE SET word = ?");
    }
}

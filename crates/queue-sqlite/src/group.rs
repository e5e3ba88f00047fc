//! One group of commands as one transaction.

use std::collections::{HashMap, HashSet};

use rollbook_domain::ProcessorName;
use rollbook_queue::{ALONE_FROM_REDELIVERY, DEAD_LETTERS, Failure, Message, Settled};
use rollbook_sqlite::{BulkQuery, to_micros};
use sqlx::{Executor as _, SqliteConnection};

use crate::statements::{CLAIMABLE, DEAD_LETTER, NEXT_DUE, SMALL_BODY, Statements, WITHIN_BODY};
use crate::wakes::{NEVER, NOW};
use crate::writer::{Lease, Leases, Returned, Work};

/// The most deliveries of one claim, whatever the consumer asks for.
const CLAIM_ROWS: usize = 1_000;
/// The most bytes of bodies of one claim, unless the first alone has more.
const CLAIM_BYTES: i64 = 8 << 20;

/// What became true, once committed. The writer keeps it in memory.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// By the index of the claim's command.
    pub(crate) claims: HashMap<usize, Vec<i64>>,
    pub(crate) leased: Vec<(i64, Lease)>,
    pub(crate) freed: HashSet<i64>,
    /// Something of the queue is free at this time, the earliest of the group.
    pub(crate) due: HashMap<ProcessorName, i64>,
    /// Nothing of the queue is free before this time.
    pub(crate) next_due: Vec<(ProcessorName, i64)>,
    pub(crate) highest_body: i64,
    pub(crate) wrote: bool,
}

/// The rows to write, in statements' order.
#[derive(Default)]
struct Rows<'w> {
    bodies: Vec<(i64, &'w Message)>,
    deliveries: Vec<(i64, &'w ProcessorName, &'w Message)>,
    dead_letters: Vec<(i64, &'w Failure)>,
    retries: Vec<(i64, i64, u32)>,
    acked: Vec<i64>,
    released: Vec<i64>,
}

pub(crate) struct Group<'g> {
    connection: &'g mut SqliteConnection,
    statements: &'g Statements,
    leases: &'g Leases,
    /// Microseconds since the epoch.
    now: i64,
    done: Done,
}

impl<'g> Group<'g> {
    pub(crate) fn new(
        connection: &'g mut SqliteConnection,
        statements: &'g Statements,
        leases: &'g Leases,
        highest_body: i64,
        now: i64,
    ) -> Self {
        Self { connection, statements, leases, now, done: Done { highest_body, ..Done::default() } }
    }

    /// Does all of it or nothing. `returned` are leases to free.
    pub(crate) async fn run(mut self, works: &[Work], returned: &[Returned]) -> Result<Done, sqlx::Error> {
        let ran = self.write(works, returned).await;
        match ran {
            Ok(()) if self.done.wrote => match self.connection.execute("COMMIT").await {
                Ok(_) => Ok(self.done),
                Err(error) => self.undo(error).await,
            },
            Ok(()) => Ok(self.done),
            Err(error) => self.undo(error).await,
        }
    }

    /// SQLite ends the transaction itself after some errors; then there is nothing to roll back.
    async fn undo(self, error: sqlx::Error) -> Result<Done, sqlx::Error> {
        if self.done.wrote
            && let Err(undone) = self.connection.execute("ROLLBACK").await
        {
            tracing::debug!(error = %undone, "nothing to roll back");
        }
        Err(error)
    }

    async fn write(&mut self, works: &[Work], returned: &[Returned]) -> Result<(), sqlx::Error> {
        let rows = self.collect(works);
        if !returned.is_empty() {
            self.give_back(returned).await?;
        }
        self.publish(&rows).await?;
        self.settle(&rows).await?;
        for (index, work) in works.iter().enumerate() {
            if let Work::Claim { consumer, queue, max } = work {
                let ids = self.claim(*consumer, queue, *max).await?;
                self.done.claims.insert(index, ids);
            }
        }
        Ok(())
    }

    /// A claim that finds nothing must not cost a write transaction.
    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        if !self.done.wrote {
            self.connection.execute("BEGIN IMMEDIATE").await?;
            self.done.wrote = true;
        }
        Ok(())
    }

    fn collect<'w>(&mut self, works: &'w [Work]) -> Rows<'w> {
        let mut rows = Rows::default();
        for work in works {
            match work {
                Work::Publish(message) => self.collect_message(&mut rows, message),
                Work::Settle { consumer, settled } => {
                    for one in settled {
                        self.collect_settled(&mut rows, *consumer, one);
                    }
                }
                Work::Release { consumer, tags } => {
                    for tag in tags {
                        let id = tag.0.cast_signed();
                        if let Some(queue) = self.free(*consumer, id) {
                            rows.released.push(id);
                            self.becomes_free(queue, NOW);
                        }
                    }
                }
                Work::Claim { .. } => {}
            }
        }
        rows
    }

    fn collect_message<'w>(&mut self, rows: &mut Rows<'w>, message: &'w Message) {
        self.done.highest_body += 1;
        let body = self.done.highest_body;
        rows.bodies.push((body, message));
        for (number, queue) in (0_i64..).zip(&message.to) {
            rows.deliveries.push(((body << WITHIN_BODY) + number, queue, message));
            self.becomes_free(queue.clone(), self.now);
        }
    }

    fn collect_settled<'w>(&mut self, rows: &mut Rows<'w>, consumer: u64, settled: &'w Settled) {
        let id = settled.tag.0.cast_signed();
        let Some(queue) = self.free(consumer, id) else { return };
        for failure in &settled.settlement.dead_letters {
            rows.dead_letters.push((id, failure));
        }
        if !settled.settlement.dead_letters.is_empty() {
            self.becomes_free(DEAD_LETTERS.into(), self.now);
        }
        match settled.settlement.retry {
            None => rows.acked.push(id),
            Some(retry) => {
                let after_us = i64::try_from(retry.after.as_micros()).unwrap_or(i64::MAX);
                let due = self.now.saturating_add(after_us);
                rows.retries.push((id, due, retry.attempts));
                self.becomes_free(queue, due);
            }
        }
    }

    fn becomes_free(&mut self, queue: ProcessorName, due: i64) {
        let earliest = self.done.due.entry(queue).or_insert(due);
        *earliest = due.min(*earliest);
    }

    /// Only what this consumer holds, and each once.
    fn free(&mut self, consumer: u64, id: i64) -> Option<ProcessorName> {
        let lease = self.leases.get(&id).filter(|lease| lease.consumer == consumer)?;
        self.done.freed.insert(id).then(|| lease.queue.clone())
    }

    async fn give_back(&mut self, returned: &[Returned]) -> Result<(), sqlx::Error> {
        self.begin().await?;
        let bind = |query: BulkQuery, one: &Returned| query.bind(one.id).bind(one.due).bind(!one.counted);
        self.statements.give_back.execute(self.connection, returned, bind).await?;
        for Returned { id, due, .. } in returned {
            self.done.freed.insert(*id);
            if let Some(lease) = self.leases.get(id) {
                self.becomes_free(lease.queue.clone(), *due);
            }
        }
        Ok(())
    }

    async fn publish(&mut self, rows: &Rows<'_>) -> Result<(), sqlx::Error> {
        if rows.bodies.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        let (small, large): (Vec<_>, Vec<_>) =
            rows.bodies.iter().copied().partition(|(_, message)| message.envelope.body.len() <= SMALL_BODY);
        self.statements.body.execute(self.connection, &small, bind_body).await?;
        for one in large {
            self.statements.body.execute(self.connection, &[one], bind_body).await?;
        }
        let now = self.now;
        let bind = |query: BulkQuery, (id, queue, message): &(i64, &ProcessorName, &Message)| {
            let query = query.bind(*id).bind(queue.as_str()).bind(now).bind(message.redecide).bind(now);
            query.bind(length(message))
        };
        self.statements.delivery.execute(self.connection, &rows.deliveries, bind).await?;
        Ok(())
    }

    /// Dead letters first, while the delivery that they copy is still there.
    async fn settle(&mut self, rows: &Rows<'_>) -> Result<(), sqlx::Error> {
        if rows.retries.is_empty() && rows.acked.is_empty() && rows.released.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        for (id, failure) in &rows.dead_letters {
            let failure = serde_json::to_string(failure).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
            let insert = sqlx::query(DEAD_LETTER).bind(self.now).bind(self.now).bind(failure).bind(*id);
            insert.execute(&mut *self.connection).await?;
        }
        let bind = |query: BulkQuery, row: &(i64, i64, u32)| query.bind(row.0).bind(row.1).bind(row.2);
        self.statements.retry.execute(self.connection, &rows.retries, bind).await?;
        self.statements.release.execute(self.connection, &rows.released, |query, id| query.bind(*id)).await?;
        self.statements.delete.execute(self.connection, &rows.acked, |query, id| query.bind(*id)).await?;
        let bind = |query: BulkQuery, id: &i64| query.bind(*id >> WITHIN_BODY);
        self.statements.delete_body.execute(self.connection, &rows.acked, bind).await?;
        Ok(())
    }

    async fn claim(&mut self, consumer: u64, queue: &ProcessorName, max: usize) -> Result<Vec<i64>, sqlx::Error> {
        let limit = max.min(CLAIM_ROWS);
        let select = sqlx::query_as(CLAIMABLE).bind(queue.as_str()).bind(self.now);
        let limited = select.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found: Vec<(i64, u32, i64)> = limited.fetch_all(&mut *self.connection).await?;
        let ids = batch(&found);
        if !ids.is_empty() {
            self.begin().await?;
            self.statements.lease.execute(self.connection, &ids, |query, id| query.bind(*id)).await?;
            let lease = Lease { consumer, queue: queue.clone() };
            self.done.leased.extend(ids.iter().map(|id| (*id, lease.clone())));
        }
        if found.len() < limit {
            let next = sqlx::query_scalar(NEXT_DUE).bind(queue.as_str());
            let next: Option<i64> = next.fetch_one(&mut *self.connection).await?;
            self.done.next_due.push((queue.clone(), next.unwrap_or(NEVER)));
        }
        Ok(ids)
    }
}

/// The first of them that may travel together.
fn batch(found: &[(i64, u32, i64)]) -> Vec<i64> {
    let mut bytes = 0;
    let together = found.iter().enumerate().take_while(|(index, (_, redeliveries, size))| {
        let suspect = *redeliveries >= ALONE_FROM_REDELIVERY;
        let after_suspect = *index == 1 && found[0].1 >= ALONE_FROM_REDELIVERY;
        bytes += size;
        *index == 0 || !(suspect || after_suspect || bytes > CLAIM_BYTES)
    });
    together.map(|(_, (id, ..))| *id).collect()
}

fn bind_body(query: BulkQuery, (id, message): &(i64, &Message)) -> BulkQuery {
    let envelope = &message.envelope;
    query
        .bind(*id)
        .bind(envelope.id.0)
        .bind(envelope.source.as_str())
        .bind(envelope.delivery_key.as_str())
        .bind(to_micros(envelope.received_at))
        .bind(headers(&envelope.headers))
        .bind(envelope.trace.as_deref())
        .bind(&*envelope.body)
}

fn headers(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of text are always JSON")
}

fn length(message: &Message) -> i64 {
    i64::try_from(message.envelope.body.len()).unwrap_or(i64::MAX)
}

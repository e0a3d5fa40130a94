//! The one thread that writes to a file, committing the work of many callers together.
//!
//! A commit costs a flush of the disk, whoever it is for. While one group is being flushed the next one gathers, so
//! the group grows with the load and nobody waits for company. Each job runs in a savepoint of its own: one that
//! fails takes back its own writes and nobody else's. A job is answered only after the commit of its group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;

/// Jobs that may wait; beyond them, callers do.
const WAITING: usize = 1_024;

/// Jobs committed together at the most, so that the first of them is not answered too late.
const TOGETHER: usize = 256;

/// Dropping it finishes what was handed in, then ends the thread.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(file: &'static str, connection: Connection) -> std::io::Result<Self> {
        let (jobs, handed_in) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name(format!("{file}-writer"))
            .spawn(move || write_until_dropped(&connection, handed_in))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` inside a transaction; once this returns `Ok`, what it wrote is on the disk.
    ///
    /// If the caller stops waiting before the work has begun, it never begins.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending { work: Some(work), result: None, reply });
        let jobs = self.jobs.as_ref().ok_or(Failure::Stopped)?;
        jobs.send(job).await.map_err(|_ended| Failure::Stopped)?;
        answer.await.map_err(|_dropped| Failure::Stopped)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a writer thread had panicked");
        }
    }
}

trait Job: Send {
    /// Does the work; false if what it wrote is to be taken back.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells the caller, after the group was committed or failed to be.
    fn answer(self: Box<Self>, group: Result<(), Arc<rusqlite::Error>>);
}

struct Pending<T, F> {
    work: Option<F>,
    result: Option<Result<T, Failure>>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        if self.reply.is_closed() {
            return false;
        }
        // A panic is a bug; it fails the one job and not everybody's writer.
        self.result = catch_unwind(AssertUnwindSafe(|| work(connection))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, group: Result<(), Arc<rusqlite::Error>>) {
        let answer = match (self.result, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(shared)) => Err(Failure::Commit(shared)),
            (Some(Ok(done)), Ok(())) => Ok(done),
            // It panicked, or nobody waits: dropping the reply says so.
            (None, Ok(())) => return,
        };
        // Fails when the caller has stopped waiting, which is its right.
        drop(self.reply.send(answer));
    }
}

fn write_until_dropped(connection: &Connection, mut handed_in: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(TOGETHER);
    while handed_in.blocking_recv_many(&mut group, TOGETHER) > 0 {
        let committed = commit_together(connection, &mut group).map_err(Arc::new);
        if committed.is_err() && !connection.is_autocommit() {
            // Fails only if SQLite has rolled back by itself meanwhile.
            drop(connection.execute_batch("ROLLBACK"));
        }
        for job in group.drain(..) {
            job.answer(committed.clone());
        }
    }
}

fn commit_together(connection: &Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    // The lock is taken at once: a transaction that began by reading could fail when it comes to write.
    execute(connection, "BEGIN IMMEDIATE")?;
    if let [alone] = group {
        // It needs no savepoint, for which SQLite would copy every page it writes to.
        let good = alone.run(connection);
        return execute(connection, if good { "COMMIT" } else { "ROLLBACK" });
    }
    for job in group {
        execute(connection, "SAVEPOINT job")?;
        if !job.run(connection) {
            // Fails when the error was so bad (disk full) that SQLite took back the whole transaction: rightly so.
            execute(connection, "ROLLBACK TO job")?;
        }
        execute(connection, "RELEASE job")?;
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_changed| ())
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT").unwrap();
        Writer::start("test", connection).unwrap()
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<(), Failure> + Send + 'static {
        move |connection| Ok(connection.execute("INSERT INTO numbers (n) VALUES (?1)", [n]).map(|_one| ())?)
    }

    async fn sum(writer: &Writer) -> i64 {
        let sum =
            |c: &Connection| Ok(c.query_row("SELECT TOTAL(n) FROM numbers", [], |row| row.get::<_, f64>(0))?);
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "a small sum")]
        let sum = writer.run(sum).await.unwrap() as i64;
        sum
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_back_its_own_writes_and_no_others() {
        let writer = writer();
        let jobs = (1..=10).map(|n| {
            writer.run(move |connection| {
                insert(n)(connection)?;
                if n == 5 { Err(Failure::Corrupt("five")) } else { Ok(()) }
            })
        });
        let failed = join_all(jobs).await.into_iter().filter(Result::is_err).count();
        assert_eq!((failed, sum(&writer).await), (1, 50));
    }

    #[tokio::test]
    async fn a_job_that_is_alone_in_its_group_takes_back_what_it_wrote_when_it_fails() {
        let writer = writer();
        let failed = writer.run(|connection| {
            insert(5)(connection)?;
            Err::<(), _>(Failure::Corrupt("five"))
        });
        assert!(matches!(failed.await, Err(Failure::Corrupt("five"))));
        writer.run(insert(3)).await.unwrap();
        assert_eq!(sum(&writer).await, 3);
    }

    #[tokio::test]
    async fn a_job_that_panics_fails_alone() {
        let writer = writer();
        let panicking = writer.run(|_connection| -> Result<(), Failure> { panic!("a bug") }).await;
        assert!(matches!(panicking, Err(Failure::Stopped)));
        writer.run(insert(3)).await.unwrap();
        assert_eq!(sum(&writer).await, 3);
    }

    #[tokio::test]
    async fn a_transaction_that_cannot_be_committed_is_heard_of_by_everybody_in_it() {
        let writer = writer();
        let lost = writer.run(|connection| Ok(connection.execute_batch("ROLLBACK")?)).await;
        assert!(matches!(lost, Err(Failure::Commit(_))), "{lost:?}");
        writer.run(insert(3)).await.unwrap();
    }
}
